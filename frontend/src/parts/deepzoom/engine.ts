import OpenSeadragon from 'openseadragon'
import type { Tiles } from '../../api/types'
import type { Point, View } from './view'

/** What the page needs of OpenSeadragon, in the picture's own pixels. */
export interface Engine {
  show(tiles: Tiles, address: (level: number, x: number, y: number) => string, keepView: boolean): void
  view(): View | null
  /** Moves so that `at` lies in the middle with `zoom` CSS pixels a picture pixel. */
  move(at: Point, zoom: number): void
  home(): void
  zoomBy(factor: number): void
  /** While held, dragging does not move the picture. */
  hold(still: boolean): void
  close(): void
}

export interface Hands {
  moved(): void
  opened(): void
  failed(sentence: string): void
  press(at: Point): void
  drag(at: Point): void
  release(at: Point): void
  click(at: Point): void
}

/**
 * OpenSeadragon adds an inline style for touch screens unless one is there, and the page's policy forbids inline styles. base.css has
 * the rule; an element of that name without a namespace, which styles nothing, keeps the other out.
 */
function leaveOutInlineStyle(): void {
  const mark = 'data-openseadragon-mobile-css'
  if (document.querySelector(`style[${mark}]`)) return
  const style = document.createElementNS(null, 'style')
  style.setAttribute(mark, 'true')
  document.head.append(style)
}

export function startEngine(element: HTMLElement, navigator: boolean, hands: Hands): Engine {
  leaveOutInlineStyle()
  const viewer = OpenSeadragon({
    element,
    drawer: 'canvas',
    showNavigationControl: false,
    showNavigator: navigator,
    navigatorPosition: 'TOP_RIGHT',
    navigatorSizeRatio: 0.18,
    navigatorDisplayRegionColor: '#5cc3d6',
    animationTime: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 0.35,
    springStiffness: 10,
    maxZoomPixelRatio: 16,
    minZoomImageRatio: 0.7,
    visibilityRatio: 0.4,
    imageLoaderLimit: 6,
    timeout: 60_000,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true },
    crossOriginPolicy: false,
  } as OpenSeadragon.Options)
  let size: { width: number; height: number } | null = null
  let held = false

  function view(): View | null {
    if (!size || !viewer.isOpen()) return null
    const bounds = viewer.viewport.getBounds(true)
    const box = viewer.viewport.getContainerSize()
    // OpenSeadragon's unit is the picture's width.
    const zoom = box.x / (bounds.width * size.width)
    return { zoom, left: -bounds.x * size.width * zoom, top: -bounds.y * size.width * zoom, width: box.x, height: box.y }
  }

  function pointOf(event: { position: OpenSeadragon.Point }): Point | null {
    const now = view()
    return now && { x: (event.position.x - now.left) / now.zoom, y: (event.position.y - now.top) / now.zoom }
  }

  function hand(name: 'press' | 'drag' | 'release' | 'click') {
    return (event: { position: OpenSeadragon.Point; quick?: boolean; preventDefaultAction?: boolean }) => {
      const at = pointOf(event)
      if (!at) return
      if (held && name !== 'press') event.preventDefaultAction = true
      if (name === 'click' && event.quick === false) return
      hands[name](at)
    }
  }

  // Pixels are shown as squares once they are large enough to be judged one by one.
  viewer.addHandler('update-viewport', () => {
    const now = view()
    viewer.drawer?.setImageSmoothingEnabled?.(!now || now.zoom < 2)
    hands.moved()
  })
  viewer.addHandler('open', () => hands.opened())
  viewer.addHandler('open-failed', () => hands.failed('The picture did not open. Is its file still where it was?'))
  for (const name of ['press', 'drag', 'release', 'click'] as const) viewer.addHandler(`canvas-${name}`, hand(name) as never)

  return {
    show(tiles, address, keepView) {
      const before = keepView && viewer.isOpen() ? viewer.viewport.getBounds() : null
      size = { width: tiles.width, height: tiles.height }
      if (before) viewer.addOnceHandler('open', () => viewer.viewport.fitBounds(before, true))
      viewer.open({
        width: tiles.width,
        height: tiles.height,
        tileSize: tiles.tile_size,
        tileOverlap: tiles.overlap,
        minLevel: 0,
        maxLevel: tiles.levels - 1,
        getTileUrl: address,
      } as never)
    },
    view,
    move(at, zoom) {
      if (!size || !viewer.isOpen()) return
      const box = viewer.viewport.getContainerSize()
      viewer.viewport.zoomTo((zoom * size.width) / box.x, undefined, true)
      viewer.viewport.panTo(new OpenSeadragon.Point(at.x / size.width, at.y / size.width), true)
    },
    home: () => viewer.viewport?.goHome(),
    zoomBy(factor) {
      viewer.viewport?.zoomBy(factor)
      viewer.viewport?.applyConstraints()
    },
    hold: (still) => (held = still),
    close: () => viewer.destroy(),
  }
}
