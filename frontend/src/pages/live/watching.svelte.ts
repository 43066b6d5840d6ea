import { send, sentence } from '../../api/request'
import type { LiveEvent, Watch } from '../../api/types'
import { notices } from '../../shell/notices.svelte'

export interface Alert {
  frame: number
  time: string
  text: string
  key: string | null
}

const remembered = 240

/** One watched source. Its events come as the server sends them; frames are fetched only as fast as they can be shown. */
export class Watching {
  id = $state('')
  name = $state('')
  find = $state('')
  latest = $state.raw<LiveEvent | null>(null)
  /** Milliseconds from arrival to answer of the last pictures. */
  latencies = $state.raw<number[]>([])
  alerts = $state.raw<Alert[]>([])
  frame = $state('')
  fault = $state('')
  ended = $state(false)
  starting = $state(false)
  private events: EventSource | null = null
  private loading = false
  private shown = -1

  get running(): boolean {
    return this.id !== '' && !this.ended
  }

  async start(source: string, find: string): Promise<void> {
    this.starting = true
    this.fault = ''
    try {
      this.join(await send<Watch>('POST', '/api/live', { source, find: find || null }))
    } catch (reason) {
      this.fault = sentence(reason)
    }
    this.starting = false
  }

  /** Looks at a watch that runs. */
  join(watch: Watch): void {
    this.id = watch.id
    this.name = watch.name
    this.find = watch.find ?? ''
    this.ended = false
    this.latest = null
    this.latencies = []
    this.alerts = []
    this.shown = -1
    this.events = new EventSource(`/api/live/${this.id}/events`)
    this.events.onmessage = (event) => this.take(JSON.parse(event.data as string) as LiveEvent)
    this.events.addEventListener('end', (event) => this.finish((event as MessageEvent<string>).data))
    this.events.onerror = () => {
      // The browser tries again by itself, unless the server has said no.
      if (this.events?.readyState === EventSource.CLOSED) this.finish('The server has ended the watch.')
    }
  }

  private take(event: LiveEvent): void {
    this.latest = event
    this.fault = event.error ?? ''
    this.latencies = [...this.latencies.slice(1 - remembered), event.latency_ms]
    if (event.alert) {
      this.alerts = [{ frame: event.frame, time: event.time, text: event.alert, key: event.pinned?.key ?? null }, ...this.alerts].slice(0, 50)
      notices.say(event.alert, 'good')
    }
    this.show()
  }

  /** Asks for the newest frame once the last one is on the screen: a slow line shows fewer frames, not old ones. */
  private show(): void {
    const event = this.latest
    if (!event || this.loading || event.frame === this.shown) return
    this.loading = true
    this.shown = event.frame
    const image = new Image()
    const source = `/api/live/${this.id}/frame.webp?frame=${event.frame}`
    image.onload = () => {
      this.frame = source
      this.loading = false
      this.show()
    }
    image.onerror = () => (this.loading = false)
    image.src = source
  }

  private finish(text: string): void {
    this.events?.close()
    this.ended = true
    this.fault = text
  }

  async pin(): Promise<void> {
    try {
      const kept = await send<{ key: string; name: string }>('POST', `/api/live/${this.id}/pin`)
      this.alerts = [{ frame: this.latest?.frame ?? 0, time: new Date().toISOString(), text: `${kept.name} was kept.`, key: kept.key }, ...this.alerts]
    } catch (reason) {
      notices.say(sentence(reason), 'bad')
    }
  }

  async stop(): Promise<void> {
    this.finish('')
    try {
      await send('DELETE', `/api/live/${this.id}`)
    } catch {
      // It had ended by itself: what was wanted.
    }
  }

  close(): void {
    this.events?.close()
  }
}
