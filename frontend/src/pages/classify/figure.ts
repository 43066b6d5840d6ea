import { length, roundBelow } from '../../parts/format'

/** A figure for a paper: the picture, its outlines and heat map, a scale bar and, under it, one line of facts. */
export interface Figure {
  picture: HTMLCanvasElement
  heat: HTMLImageElement | null
  outlines: [number, number][][]
  /** Size of the original picture in pixels, in which outlines are given. */
  width: number
  height: number
  pixelNm: number | null
  caption: string
}

function bar(figure: Figure, wide: number): { text: string; long: number } | null {
  if (figure.pixelNm === null) return null
  const nm = roundBelow(figure.pixelNm * figure.width * 0.25)
  return { text: length(nm), long: (nm / (figure.pixelNm * figure.width)) * wide }
}

const line = 34
const outline = '#00c8e6'

export function toCanvas(figure: Figure): HTMLCanvasElement {
  const wide = figure.picture.width
  const tall = figure.picture.height
  const canvas = document.createElement('canvas')
  canvas.width = wide
  canvas.height = tall + line
  const context = canvas.getContext('2d')
  if (!context) throw new Error('This browser gives no canvas to draw the figure on.')
  context.fillStyle = '#fff'
  context.fillRect(0, 0, wide, tall + line)
  context.drawImage(figure.picture, 0, 0)
  if (figure.heat) {
    context.globalAlpha = 0.65
    context.drawImage(figure.heat, 0, 0, wide, tall)
    context.globalAlpha = 1
  }
  context.strokeStyle = outline
  context.lineWidth = 1.5
  for (const points of figure.outlines) {
    context.beginPath()
    for (const [x, y] of points) context.lineTo((x / figure.width) * wide, (y / figure.height) * tall)
    context.closePath()
    context.stroke()
  }
  const scale = bar(figure, wide)
  context.font = '600 16px sans-serif'
  if (scale) {
    context.fillStyle = '#000b'
    context.fillRect(12, tall - 48, scale.long + 16, 38)
    context.fillStyle = '#fff'
    context.textAlign = 'center'
    context.fillText(scale.text, 20 + scale.long / 2, tall - 28)
    context.fillRect(20, tall - 21, scale.long, 5)
  }
  context.fillStyle = '#111'
  context.textAlign = 'left'
  context.font = '14px sans-serif'
  context.fillText(figure.caption, 6, tall + 22, wide - 12)
  return canvas
}

export function toPng(figure: Figure): Promise<Blob> {
  return new Promise((resolve, reject) => {
    toCanvas(figure).toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The browser could not encode the figure.'))), 'image/png')
  })
}

function plain(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

function drawn(image: HTMLImageElement): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = image.naturalWidth
  canvas.height = image.naturalHeight
  canvas.getContext('2d')?.drawImage(image, 0, 0)
  return canvas
}

/** The same figure as SVG: outlines, bar and words stay editable. */
export function toSvg(figure: Figure): Blob {
  const wide = figure.picture.width
  const tall = figure.picture.height
  const scale = bar(figure, wide)
  const paths = figure.outlines
    .map((points) => `<path d="M${points.map(([x, y]) => `${((x / figure.width) * wide).toFixed(1)} ${((y / figure.height) * tall).toFixed(1)}`).join('L')}Z"/>`)
    .join('')
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${tall + line}" viewBox="0 0 ${wide} ${tall + line}" font-family="sans-serif">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<image width="${wide}" height="${tall}" href="${figure.picture.toDataURL('image/png')}"/>`,
    figure.heat ? `<image width="${wide}" height="${tall}" opacity="0.65" preserveAspectRatio="none" href="${drawn(figure.heat).toDataURL('image/png')}"/>` : '',
    `<g fill="none" stroke="${outline}" stroke-width="1.5">${paths}</g>`,
    scale
      ? `<g id="scale-bar"><rect x="12" y="${tall - 48}" width="${scale.long + 16}" height="38" fill="#000" fill-opacity="0.7"/><text x="${20 + scale.long / 2}" y="${tall - 28}" text-anchor="middle" font-size="16" font-weight="600" fill="#fff">${plain(scale.text)}</text><rect x="20" y="${tall - 21}" width="${scale.long}" height="5" fill="#fff"/></g>`
      : '',
    `<text x="6" y="${tall + 22}" font-size="14" fill="#111">${plain(figure.caption)}</text>`,
    '</svg>',
  ]
  return new Blob([parts.join('\n')], { type: 'image/svg+xml' })
}
