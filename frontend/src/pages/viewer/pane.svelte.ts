import type { Tiles } from '../../api/types'
import type { Engine } from '../../parts/deepzoom/engine'
import type { Point, View } from '../../parts/deepzoom/view'
import { centre, distanceNm } from '../../parts/deepzoom/view'
import type { TiledMap } from '../../parts/deepzoom/drawing'
import { number, length } from '../../parts/format'
import { PictureAnswers } from '../../parts/picture/picture.svelte'

/** One picture in the viewer: its answers, and how it is looked at. */
export class Pane extends PictureAnswers {
  tiles = $state.raw<Tiles | null>(null)
  greys = $state.raw<{ low: number; high: number } | null>(null)
  view = $state.raw<View | null>(null)
  engine = $state.raw<Engine | null>(null)
  ends = $state.raw<{ from: Point; to: Point } | null>(null)
  tiled = $state.raw<TiledMap | null>(null)
  chosenObject = $state<number | null>(null)

  get title(): string {
    return this.picture.value?.name ?? this.name
  }

  get pixel(): { x: number; y: number } | null {
    return this.scale.value?.pixel_size_nm ?? this.picture.value?.pixel_size_nm ?? null
  }

  get distance(): string {
    if (!this.ends) return ''
    const { from, to } = this.ends
    if (this.pixel) return length(distanceNm(from, to, this.pixel))
    return `${number(Math.hypot(from.x - to.x, from.y - to.y))} px`
  }

  get ruler(): { from: Point; to: Point; text: string } | null {
    return this.ends && { ...this.ends, text: this.distance }
  }

  /** Sets an end of the ruler in the middle of the view: the way of the keyboard. */
  markMiddle(): void {
    if (!this.view) return
    const here = centre(this.view)
    const isBegun = this.ends !== null && this.ends.from.x === this.ends.to.x && this.ends.from.y === this.ends.to.y
    this.ends = isBegun && this.ends ? { from: this.ends.from, to: here } : { from: here, to: here }
  }
}

/** Moves `other` to what `from` shows: the same place of the frame, at equal nanometres where both scales are known. */
export function follow(from: Pane, other: Pane): void {
  if (!from.view || !from.tiles || !other.tiles || !other.engine) return
  const at = centre(from.view)
  const zoom = from.pixel && other.pixel ? (from.view.zoom / from.pixel.x) * other.pixel.x : (from.view.zoom * from.tiles.width) / other.tiles.width
  other.engine.move({ x: (at.x / from.tiles.width) * other.tiles.width, y: (at.y / from.tiles.height) * other.tiles.height }, zoom)
}
