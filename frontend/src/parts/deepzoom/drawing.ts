import type { Point, View } from './view'
import { toScreen } from './view'

export interface TiledMap {
  /** Probability of the target in each tile, row by row. */
  p: number[][]
  found: boolean[][]
  /** Where rows and columns of tiles begin, and the side of a tile, in the picture's pixels. Tiles may overlap. */
  tops: number[]
  lefts: number[]
  tile_px: number
}

export interface Layers {
  outlines: Path2D[]
  chosen: number | null
  heat: CanvasImageSource | null
  tiled: TiledMap | null
  ruler: { from: Point; to: Point; text: string } | null
}

export interface Colours {
  outline: string
  chosen: string
}

export function pathsOf(outlines: [number, number][][]): Path2D[] {
  return outlines.map((points) => {
    const path = new Path2D()
    points.forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)))
    path.closePath()
    return path
  })
}

/** Draws everything that lies over the picture; `size` is the picture's in its own pixels. */
export function draw(context: CanvasRenderingContext2D, view: View, size: { width: number; height: number }, layers: Layers, colours: Colours): void {
  const density = window.devicePixelRatio
  context.setTransform(1, 0, 0, 1, 0, 0)
  context.clearRect(0, 0, context.canvas.width, context.canvas.height)
  context.setTransform(density * view.zoom, 0, 0, density * view.zoom, density * view.left, density * view.top)
  if (layers.heat) {
    context.globalAlpha = 0.65
    context.drawImage(layers.heat, 0, 0, size.width, size.height)
    context.globalAlpha = 1
  }
  if (layers.tiled) drawTiled(context, view, layers.tiled)
  context.lineWidth = 1.5 / view.zoom
  context.strokeStyle = colours.outline
  for (const path of layers.outlines) context.stroke(path)
  const chosen = layers.chosen === null ? undefined : layers.outlines[layers.chosen]
  if (chosen) {
    context.lineWidth = 3 / view.zoom
    context.strokeStyle = colours.chosen
    context.stroke(chosen)
  }
  context.setTransform(density, 0, 0, density, 0, 0)
  if (layers.ruler) drawRuler(context, toScreen(view, layers.ruler.from), toScreen(view, layers.ruler.to), layers.ruler.text)
}

/** Each tile's share of the picture, up to where the next one begins; those that count as found are framed. */
function drawTiled(context: CanvasRenderingContext2D, view: View, map: TiledMap): void {
  context.lineWidth = 2 / view.zoom
  context.strokeStyle = '#ffd166'
  map.p.forEach((row, i) =>
    row.forEach((p, j) => {
      const [x, y] = [map.lefts[j]!, map.tops[i]!]
      const wide = (map.lefts[j + 1] ?? x + map.tile_px) - x
      const tall = (map.tops[i + 1] ?? y + map.tile_px) - y
      context.fillStyle = `rgb(255 ${Math.round(220 - 150 * p)} 40 / ${0.5 * p})`
      context.fillRect(x, y, wide, tall)
      if (map.found[i]?.[j]) context.strokeRect(x, y, wide, tall)
    }),
  )
}

function drawRuler(context: CanvasRenderingContext2D, from: Point, to: Point, text: string): void {
  const angle = Math.atan2(to.y - from.y, to.x - from.x)
  const across = { x: -Math.sin(angle) * 6, y: Math.cos(angle) * 6 }
  const line = new Path2D()
  line.moveTo(from.x, from.y)
  line.lineTo(to.x, to.y)
  for (const end of [from, to]) {
    line.moveTo(end.x - across.x, end.y - across.y)
    line.lineTo(end.x + across.x, end.y + across.y)
  }
  context.lineCap = 'round'
  context.strokeStyle = '#000b'
  context.lineWidth = 5
  context.stroke(line)
  context.strokeStyle = '#ffe066'
  context.lineWidth = 2
  context.stroke(line)
  if (!text) return
  context.font = '600 13px system-ui, sans-serif'
  const wide = context.measureText(text).width
  const at = { x: (from.x + to.x) / 2 - wide / 2, y: (from.y + to.y) / 2 - 12 }
  context.fillStyle = '#000c'
  context.fillRect(at.x - 5, at.y - 14, wide + 10, 19)
  context.fillStyle = '#ffe066'
  context.fillText(text, at.x, at.y)
}

/** The outline under a point of the picture, or null. The last drawn wins, as the eye expects. */
export function outlineAt(context: CanvasRenderingContext2D, paths: Path2D[], point: Point): number | null {
  context.save()
  context.setTransform(1, 0, 0, 1, 0, 0)
  let found: number | null = null
  for (let i = paths.length - 1; i >= 0 && found === null; i -= 1) {
    if (context.isPointInPath(paths[i]!, point.x, point.y)) found = i
  }
  context.restore()
  return found
}
