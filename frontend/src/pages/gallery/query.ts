/** What the gallery shows, as parts; and the same in the archive's filter syntax, which `morphoscope search` understands too. */
export interface Filters {
  text: string
  classes: Record<string, string[]>
  makers: string[]
  folders: string[]
  ranges: Record<string, [number, number]>
  like: string
  sort: string
}

export function nothing(): Filters {
  return { text: '', classes: {}, makers: [], folders: [], ranges: {}, like: '', sort: '' }
}

function quoted(text: string): string {
  return /^[\w.µ/-]+$/u.test(text) && !text.startsWith('-') ? text : `"${text.replaceAll('"', '""')}"`
}

function oneOf(field: string, values: string[]): string[] {
  return values.length ? [`${quoted(field)}=${values.map(quoted).join('|')}`] : []
}

/** The filter text; `but` leaves one facet out, to count what its other values would find. */
export function compose(filters: Filters, but = ''): string {
  const parts: string[] = []
  if (filters.text.trim()) parts.push(filters.text.trim())
  for (const [task, values] of Object.entries(filters.classes)) if (task !== but) parts.push(...oneOf(task, values))
  if (but !== 'maker') parts.push(...oneOf('maker', filters.makers))
  if (but !== 'folder') parts.push(...oneOf('folder', filters.folders))
  for (const [field, [low, high]] of Object.entries(filters.ranges)) parts.push(`${field}=${round(low)}..${round(high)}`)
  return parts.join(' ')
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)))
}

export function toAddress(filters: Filters): Record<string, string | undefined> {
  return {
    q: filters.text || undefined,
    classes: list(Object.entries(filters.classes).flatMap(([task, values]) => values.map((value) => [task, value]))),
    makers: list(filters.makers),
    folders: list(filters.folders),
    ranges: list(Object.entries(filters.ranges).map(([field, [low, high]]) => [field, low, high])),
    like: filters.like || undefined,
    sort: filters.sort || undefined,
  }
}

function list(values: unknown[]): string | undefined {
  return values.length ? JSON.stringify(values) : undefined
}

function parsed(query: URLSearchParams, name: string): unknown[] {
  try {
    const value: unknown = JSON.parse(query.get(name) ?? '[]')
    return Array.isArray(value) ? value : []
  } catch {
    return [] // An address that somebody cut short shows more, not an error.
  }
}

export function fromAddress(query: URLSearchParams): Filters {
  const filters = nothing()
  filters.text = query.get('q') ?? ''
  filters.like = query.get('like') ?? ''
  filters.sort = query.get('sort') ?? ''
  for (const pair of parsed(query, 'classes')) {
    if (Array.isArray(pair) && pair.length === 2) (filters.classes[String(pair[0])] ??= []).push(String(pair[1]))
  }
  filters.makers = parsed(query, 'makers').map(String)
  filters.folders = parsed(query, 'folders').map(String)
  for (const row of parsed(query, 'ranges')) {
    if (Array.isArray(row) && row.length === 3) filters.ranges[String(row[0])] = [Number(row[1]), Number(row[2])]
  }
  return filters
}

export function toggled(values: string[] | undefined, value: string): string[] {
  const held = values ?? []
  return held.includes(value) ? held.filter((other) => other !== value) : [...held, value]
}
