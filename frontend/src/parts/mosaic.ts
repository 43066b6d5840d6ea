import { address, get } from '../api/request'
import type { Tiles } from '../api/types'

/** The whole picture from its tiles, at the finest level whose longer side is at most `most` pixels. */
export async function mosaic(key: string, most = 2048): Promise<HTMLCanvasElement> {
  const tiles = await get<Tiles>(`/api/pictures/${key}/tiles`)
  let level = tiles.levels - 1
  const size = (side: number, at: number) => Math.max(1, Math.ceil(side / 2 ** (tiles.levels - 1 - at)))
  while (level > 0 && Math.max(size(tiles.width, level), size(tiles.height, level)) > most) level -= 1
  const canvas = document.createElement('canvas')
  canvas.width = size(tiles.width, level)
  canvas.height = size(tiles.height, level)
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This browser gives no canvas to draw the figure on.')
  const step = tiles.tile_size
  const places: [number, number][] = []
  for (let y = 0; y * step < canvas.height; y += 1) for (let x = 0; x * step < canvas.width; x += 1) places.push([x, y])
  await Promise.all(
    places.map(async ([x, y]) => {
      const image = await load(address(`/api/pictures/${key}/tiles/${level}/${x}_${y}.webp`, {}))
      context.drawImage(image, x * step - (x ? tiles.overlap : 0), y * step - (y ? tiles.overlap : 0))
    }),
  )
  return canvas
}

export async function load(source: string): Promise<HTMLImageElement> {
  const image = new Image()
  image.src = source
  await image.decode()
  return image
}
