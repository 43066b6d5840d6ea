import { address, get, isAbort, send, sentence } from '../../api/request'
import type { Found, Hit } from '../../api/types'

const pageSize = 120

/** A part of a list; a picture that has left the archive since leaves a gap. */
type Page = Omit<Found, 'hits'> & { hits: (Hit | undefined)[] }

/** A list of pictures as long as the archive, of which only the pages near the eye are fetched. */
export class Hits {
  total = $state(0)
  seconds = $state(0)
  fault = $state('')
  waiting = $state(false)
  /** Goes up when a page has come, so that tiles look again. */
  turn = $state(0)

  private hits = new Map<number, Hit>()
  private asked = new Set<number>()
  private stop = new AbortController()
  private page: (offset: number, signal: AbortSignal) => Promise<Page> = () => Promise.resolve({ total: 0, seconds: 0, hits: [] })

  /** Shows what a search finds. */
  search(q: string, like: string, sort: string): void {
    this.begin((offset, signal) => get<Found>(address('/api/archive/search', { q, like, sort, limit: pageSize, offset }), signal))
  }

  /** Shows these pictures in this order. */
  show(keys: string[]): void {
    this.begin(async (offset) => {
      const wanted = keys.slice(offset, offset + pageSize)
      const some = await send<{ hits: Hit[] }>('POST', '/api/archive/hits', { keys: wanted })
      const found = new Map(some.hits.map((hit) => [hit.key, hit]))
      return { total: keys.length, seconds: 0, hits: wanted.map((key) => found.get(key)) }
    })
  }

  at(index: number): Hit | undefined {
    void this.turn
    return this.hits.get(index)
  }

  /** Fetches what lies between two places and isn't there yet. */
  want(first: number, last: number): void {
    for (let page = Math.floor(first / pageSize); page * pageSize <= last && page * pageSize < this.total; page += 1) {
      if (!this.asked.has(page)) void this.fetch(page)
    }
  }

  private begin(page: Hits['page']): void {
    this.stop.abort()
    this.stop = new AbortController()
    this.page = page
    this.asked = new Set()
    this.fault = ''
    void this.fetch(0, true)
  }

  private async fetch(page: number, isFirst = false): Promise<void> {
    const { signal } = this.stop
    this.asked.add(page)
    if (isFirst) this.waiting = true
    try {
      const found = await this.page(page * pageSize, signal)
      if (signal.aborted) return
      // The former pictures stay in sight until the new ones are there.
      if (isFirst) this.hits = new Map()
      found.hits.forEach((hit, i) => hit && this.hits.set(page * pageSize + i, hit))
      this.total = found.total
      if (isFirst) this.seconds = found.seconds
      this.turn += 1
    } catch (reason) {
      if (signal.aborted || isAbort(reason)) return
      this.asked.delete(page)
      this.fault = sentence(reason)
      if (isFirst) {
        this.hits = new Map()
        this.total = 0
        this.turn += 1
      }
    } finally {
      if (isFirst && !signal.aborted) this.waiting = false
    }
  }
}
