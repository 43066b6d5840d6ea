import { address, get, send, sentence } from '../../api/request'
import type { Answered, AnnotationTask, TaskPrediction } from '../../api/types'
import { notices } from '../../shell/notices.svelte'

/** One answer that a person gave in this sitting. The guess is the model's, told only now. */
export interface Given {
  id: number
  key: string
  answer: string | null
  guess: TaskPrediction | null
}

export type Order = 'informative' | 'disagreement' | 'audit'

const ahead = 24

/** A person working through a queue: the next pictures are fetched before they are needed. */
export class Labelling {
  queue = $state.raw<string[]>([])
  given = $state.raw<Given[]>([])
  waiting = $state(false)
  fault = $state('')
  ended = $state(false)
  private sending = false
  private since = Date.now()

  constructor(
    readonly task: AnnotationTask,
    readonly order: Order,
    readonly annotator: string,
  ) {}

  get current(): string | undefined {
    return this.queue[0]
  }

  /** Answers a minute in this sitting. */
  get pace(): number {
    return this.given.length / Math.max(0.1, (Date.now() - this.since) / 60_000)
  }

  async fill(): Promise<void> {
    if (this.waiting || this.ended) return
    this.waiting = true
    try {
      const more = await get<{ key: string }[]>(
        address('/api/annotation/queue', { task: this.task.name, order: this.order, annotator: this.annotator, count: ahead }),
      )
      const known = new Set([...this.queue, ...this.given.map((one) => one.key)])
      const fresh = more.map((one) => one.key).filter((key) => !known.has(key))
      this.ended = fresh.length === 0
      this.queue = [...this.queue, ...fresh]
      this.fault = ''
      this.prefetch()
    } catch (reason) {
      this.fault = sentence(reason)
    }
    this.waiting = false
  }

  /** Gives an answer (null: unsure) to the picture in view and goes on to the next. */
  async answer(answer: string | null): Promise<void> {
    const key = this.current
    if (!key || this.sending) return
    this.sending = true
    try {
      const body = { key, task: this.task.name, class: answer, annotator: this.annotator }
      const answered = await send<Answered>('POST', '/api/annotation/answers', body)
      this.given = [{ id: answered.id, key, answer, guess: answered.guess }, ...this.given]
      this.queue = this.queue.slice(1)
      this.prefetch()
      if (this.queue.length < ahead / 3) void this.fill()
    } catch (reason) {
      notices.say(sentence(reason), 'bad')
    }
    this.sending = false
  }

  /** Takes the last answer back and shows its picture again. */
  async undo(): Promise<void> {
    const last = this.given[0]
    if (!last || this.sending) return
    this.sending = true
    try {
      await send('DELETE', `/api/annotation/answers/${last.id}`)
      this.given = this.given.slice(1)
      this.queue = [last.key, ...this.queue]
    } catch (reason) {
      notices.say(sentence(reason), 'bad')
    }
    this.sending = false
  }

  /** Puts the picture at the end of what is queued. */
  skip(): void {
    const [first, ...rest] = this.queue
    if (first && rest.length) this.queue = [...rest, first]
  }

  private prefetch(): void {
    for (const key of this.queue.slice(1, 4)) new Image().src = preview(key)
  }
}

/** The classes chosen with one more or one less, in the order of the task, as the model and the sheet write them. */
export function toggled(task: AnnotationTask, chosen: string[], name: string): string[] {
  const now = chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]
  return task.classes.map((one) => one.name).filter((one) => now.includes(one))
}

export function preview(key: string): string {
  return `/api/pictures/${key}/thumbnail.webp?size=512`
}
