/** Colours of the design for canvases, which can't read CSS variables themselves. */
const probe = document.createElement('span')
probe.hidden = true

export function colourOf(near: Element, name: string, otherwise: string): string {
  near.append(probe)
  probe.style.color = `var(${name})`
  const colour = getComputedStyle(probe).color
  probe.remove()
  return colour || otherwise
}

export const classColours = 10

/** The colour variable of the i-th class; the tenth is followed by the first again. */
export function classColour(index: number): string {
  return `--class-${(index % classColours) + 1}`
}
