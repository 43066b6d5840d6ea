import type { MapOfPictures } from '../../api/types'

/** The map's points in a unit square, and which lie where. */
export class Points {
  readonly map: MapOfPictures
  readonly count: number
  readonly x: Float32Array
  readonly y: Float32Array
  readonly placeOf: Map<string, number>
  readonly classes: string[]
  /** Index into `classes`, or -1. */
  readonly classOf: Int16Array
  private readonly cells: number[][]
  private static readonly side = 64

  constructor(map: MapOfPictures) {
    this.map = map
    this.count = map.keys.length
    const [left, wide] = span(map.x)
    const [low, tall] = span(map.y)
    const size = Math.max(wide, tall) || 1
    this.x = Float32Array.from(map.x, (x) => 0.5 + (x - left - wide / 2) / size)
    this.y = Float32Array.from(map.y, (y) => 0.5 - (y - low - tall / 2) / size)
    this.placeOf = new Map(map.keys.map((key, i) => [key, i]))
    const counts = new Map<string, number>()
    for (const name of map.class) if (name !== null) counts.set(name, (counts.get(name) ?? 0) + 1)
    // By name: a class keeps its colour when the archive grows.
    this.classes = [...counts.keys()].sort((a, b) => a.localeCompare(b))
    const index = new Map(this.classes.map((name, i) => [name, i]))
    this.classOf = Int16Array.from(map.class, (name) => (name === null ? -1 : (index.get(name) ?? -1)))
    this.cells = Array.from({ length: Points.side ** 2 }, () => [])
    for (let i = 0; i < this.count; i += 1) this.cells[this.cell(this.x[i]!, this.y[i]!)]!.push(i)
  }

  private cell(x: number, y: number): number {
    const clamp = (value: number) => Math.max(0, Math.min(Points.side - 1, Math.floor(value * Points.side)))
    return clamp(y) * Points.side + clamp(x)
  }

  /** The nearest point within `reach` (of the unit square), or -1. */
  nearest(x: number, y: number, reach: number, may: (place: number) => boolean): number {
    let best = -1
    let least = reach ** 2
    const around = Math.ceil(reach * Points.side)
    for (let dy = -around; dy <= around; dy += 1) {
      for (let dx = -around; dx <= around; dx += 1) {
        for (const i of this.cells[this.cell(x + dx / Points.side, y + dy / Points.side)] ?? []) {
          const far = (this.x[i]! - x) ** 2 + (this.y[i]! - y) ** 2
          if (far < least && may(i)) {
            least = far
            best = i
          }
        }
      }
    }
    return best
  }

  /** Places of the points inside a polygon of (x, y) in the unit square; even-odd rule. */
  inside(polygon: [number, number][], may: (place: number) => boolean): number[] {
    const xs = polygon.map(([x]) => x)
    const ys = polygon.map(([, y]) => y)
    const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
    const found: number[] = []
    for (let i = 0; i < this.count; i += 1) {
      const x = this.x[i]!
      const y = this.y[i]!
      if (x < left || x > right || y < low || y > high || !may(i)) continue
      if (isInside(x, y, polygon)) found.push(i)
    }
    return found
  }
}

function span(values: number[]): [number, number] {
  let low = Infinity
  let high = -Infinity
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return values.length ? [low, high - low] : [0, 1]
}

export function isInside(x: number, y: number, polygon: [number, number][]): boolean {
  let inside = false
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [xi, yi] = polygon[i]!
    const [xj, yj] = polygon[j]!
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside
  }
  return inside
}
