/** One door to the server: every answer is JSON or an `ApiError` whose message is a sentence for people. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message)
  }
}

const refused = new Set<() => void>()

/** Calls `listener` whenever the server asks for a token. Returns the way to stop. */
export function onRefused(listener: () => void): () => void {
  refused.add(listener)
  return () => refused.delete(listener)
}

function sentenceOf(status: number, body: unknown): string {
  const detail = (body as { detail?: unknown } | null)?.detail
  if (typeof detail === 'string') return detail
  if (Array.isArray(detail)) {
    return detail.map((fault: { loc?: unknown[]; msg?: string }) => `${fault.loc?.slice(1).join(' ') ?? ''}: ${fault.msg ?? ''}`).join('; ')
  }
  return `The server answered with status ${status} and no sentence; its log says more.`
}

export function faultOf(status: number, text: string): ApiError {
  let body: unknown = null
  try {
    body = JSON.parse(text)
  } catch {
    // Not JSON: a proxy's page or an empty answer. The status is all there is to tell.
  }
  if (status === 401) refused.forEach((listener) => listener())
  return new ApiError(sentenceOf(status, body), status)
}

async function answerOf(path: string, init: RequestInit): Promise<Response> {
  for (let attempt = 0; ; attempt += 1) {
    let response: Response
    try {
      response = await fetch(path, { credentials: 'same-origin', ...init })
    } catch (reason) {
      if (reason instanceof DOMException && reason.name === 'AbortError') throw reason
      throw new ApiError('The server does not answer. Is `morphoscope serve` still running?', 0)
    }
    if (response.ok) return response
    // Busy (503) or too fast (429): the server says when to come back, so come back.
    const wait = Number(response.headers.get('Retry-After'))
    if ((response.status === 503 || response.status === 429) && wait > 0 && wait <= 10 && attempt < 3) {
      await new Promise((resolve) => setTimeout(resolve, wait * 1000))
      continue
    }
    throw faultOf(response.status, await response.text())
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await answerOf(path, { signal })).json()) as T
}

export async function send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { 'Content-Type': 'application/json' }
  }
  const response = await answerOf(path, init)
  const text = await response.text()
  return (text ? JSON.parse(text) : undefined) as T
}


/** `/path?name=value` with the undefined, null and empty left out. */
export function address(path: string, query: Record<string, string | number | boolean | null | undefined>): string {
  const parts = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') parts.set(name, String(value))
  }
  const tail = parts.toString()
  return tail ? `${path}?${tail}` : path
}

export function sentence(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}

export function isAbort(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === 'AbortError'
}
