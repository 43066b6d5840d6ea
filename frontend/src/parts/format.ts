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

/** A unit of length, and how many nm it has. */
export interface Unit {
  name: string
  nm: number
}

/** The unit for lengths of about so many nm: it keeps them between 1 and 1000. */
export function unitOf(nm: number): Unit {
  const size = Math.abs(nm)
  if (size >= 1e6) return { name: 'mm', nm: 1e6 }
  if (size >= 1e3) return { name: 'µm', nm: 1e3 }
  return { name: 'nm', nm: 1 }
}

/** The value that half of them are below; what a column of lengths is about. */
export function median(values: number[]): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** A length in nm, shown in its unit; below 1 nm in pm. */
export function length(nm: number | null | undefined): string {
  if (nm === null || nm === undefined || !Number.isFinite(nm)) return '–'
  if (nm !== 0 && Math.abs(nm) < 1) return `${number(nm * 1e3)} pm`
  const unit = unitOf(nm)
  return `${number(nm / unit.nm)} ${unit.name}`
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
