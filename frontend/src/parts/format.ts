/** Numbers as people of the field write them. */
const grouped = new Intl.NumberFormat('en', { useGrouping: 'always' as never })

export function count(value: number): string {
  return grouped.format(value).replaceAll(',', '\u202f')
}

/** Three significant digits, no exponent between 0.001 and a million. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2)
  if (size >= 1000) return count(Math.round(value))
  return String(Number(value.toPrecision(3)))
}

/** A length in nm, shown in the unit that keeps it between 1 and 1000. */
export function length(nm: number | null | undefined): string {
  if (nm === null || nm === undefined || !Number.isFinite(nm)) return '–'
  const size = Math.abs(nm)
  if (size >= 1e6) return `${number(nm / 1e6)} mm`
  if (size >= 1e3) return `${number(nm / 1e3)} µm`
  if (size < 1 && size > 0) return `${number(nm * 1e3)} pm`
  return `${number(nm)} nm`
}

export function percent(part: number | null | undefined): string {
  if (part === null || part === undefined || !Number.isFinite(part)) return '–'
  const hundredths = part * 100
  if (hundredths > 0 && hundredths < 1) return '< 1 %'
  if (hundredths < 100 && hundredths > 99) return '> 99 %'
  return `${Math.round(hundredths)} %`
}

export function bytes(size: number): string {
  if (size >= 1e9) return `${(size / 1e9).toFixed(1)} GB`
  if (size >= 1e6) return `${(size / 1e6).toFixed(1)} MB`
  return `${Math.max(1, Math.round(size / 1e3))} kB`
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 90) return `${seconds.toFixed(1)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export function moment(iso: string | null | undefined): string {
  if (!iso) return '–'
  return new Date(iso).toLocaleString(undefined, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' })
}

/** The largest 1, 2 or 5 × 10ⁿ that is at most `most`: what a scale bar may stand for. */
export function roundBelow(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most))
  const lead = most / power
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power
}

/** `1 object`, `2 objects`. */
export function many(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** An answer as people read it; `A|B` is how a sheet holds two classes. */
export function spoken(answer: string | null): string {
  return answer === null ? 'unsure' : answer.replaceAll('|', ' + ')
}
