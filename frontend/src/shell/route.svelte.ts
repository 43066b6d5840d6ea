/** The address after `#` is the page's whole state that is worth a bookmark: `#/viewer/a12?with=a13`. */
export const pages = ['classify', 'gallery', 'viewer', 'annotate', 'runs', 'live'] as const
export type PageName = (typeof pages)[number]

export interface Route {
  page: PageName
  rest: string
  query: URLSearchParams
}

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2)
  const [first = '', ...rest] = path.split('/')
  const page = pages.find((name) => name === first) ?? 'classify'
  return { page, rest: rest.map(decodeURIComponent).join('/'), query: new URLSearchParams(query) }
}

class Router {
  current = $state.raw<Route>(read())

  constructor() {
    addEventListener('hashchange', () => (this.current = read()))
  }
}

export const router = new Router()

export function link(page: PageName, rest = '', query: Record<string, string | undefined> = {}): string {
  const parts = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value) parts.set(name, value)
  const tail = parts.toString()
  return `#/${page}${rest ? `/${encodeURIComponent(rest)}` : ''}${tail ? `?${tail}` : ''}`
}

export function go(to: string): void {
  location.hash = to
}

/** Changes the address without a new step in the browser's history: for sliders and words being typed. */
export function amend(to: string): void {
  history.replaceState(null, '', to)
  router.current = read()
}
