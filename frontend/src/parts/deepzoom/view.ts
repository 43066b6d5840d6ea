/** Where the picture lies on the screen: screen = picture × zoom + offset, both in CSS pixels. */
export interface View {
  zoom: number
  left: number
  top: number
  width: number
  height: number
}

export interface Point {
  x: number
  y: number
}

export function toScreen(view: View, point: Point): Point {
  return { x: point.x * view.zoom + view.left, y: point.y * view.zoom + view.top }
}

export function toPicture(view: View, point: Point): Point {
  return { x: (point.x - view.left) / view.zoom, y: (point.y - view.top) / view.zoom }
}

export function centre(view: View): Point {
  return toPicture(view, { x: view.width / 2, y: view.height / 2 })
}

/** Length in nm between two points of the picture, whose pixels need not be square. */
export function distanceNm(a: Point, b: Point, pixel: { x: number; y: number }): number {
  return Math.hypot((a.x - b.x) * pixel.x, (a.y - b.y) * pixel.y)
}
