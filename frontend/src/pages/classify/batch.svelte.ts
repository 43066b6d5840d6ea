import { get, isAbort, sentence } from '../../api/request'
import type { Hit, Objects, Picture, Prediction, Scale, Upload } from '../../api/types'
import { upload } from '../../api/upload'
import { server } from '../../shell/server.svelte'

/** An answer that is fetched when first wanted: nothing, waiting, there, or a sentence why not. */
export class Answer<T> {
  value = $state.raw<T | null>(null)
  fault = $state('')
  waiting = $state(false)

  async fetch(path: string): Promise<void> {
    if (this.waiting) return
    this.waiting = true
    this.fault = ''
    try {
      this.value = await get<T>(path)
    } catch (reason) {
      this.fault = sentence(reason)
    }
    this.waiting = false
  }

  forget(): void {
    this.value = null
    this.fault = ''
  }
}

export type Stage = 'waiting' | 'uploading' | 'classifying' | 'done' | 'failed'

/** One dropped file on its way from the disk to its answers. */
export class Item {
  stage = $state<Stage>('waiting')
  uploaded = $state(0)
  fault = $state('')
  key = $state<string | null>(null)
  upload = $state.raw<Upload | null>(null)
  prediction = new Answer<Prediction>()
  picture = new Answer<Picture>()
  scale = new Answer<Scale>()
  objects = new Answer<Objects>()
  similar = new Answer<Hit[]>()
  readonly stop = new AbortController()

  constructor(
    readonly id: number,
    readonly name: string,
    readonly bytes: number,
    public file: File | null,
  ) {}

  async run(): Promise<void> {
    const file = this.file
    if (!file || this.stop.signal.aborted) return
    this.stage = 'uploading'
    try {
      const answer = await upload(file, (part) => (this.uploaded = part), this.stop.signal)
      this.file = null
      this.upload = answer
      if (answer.status === 'error' || !answer.key) throw new Error(answer.error ?? `${this.name} could not be read.`)
      this.key = answer.key
      this.stage = 'classifying'
      if (server.health?.model) await this.prediction.fetch(this.path('prediction'))
      this.stage = 'done'
    } catch (reason) {
      this.stage = 'failed'
      this.fault = isAbort(reason) ? 'Stopped before it was uploaded.' : sentence(reason)
    }
  }

  path(part: string): string {
    return `/api/pictures/${this.key}${part ? `/${part}` : ''}`
  }

  /** The slower answers, asked for once the picture is looked at. The scale comes first: sizes depend on it. */
  async look(): Promise<void> {
    if (!this.key || this.scale.value || this.scale.waiting) return
    await Promise.all([this.scale.fetch(this.path('scale')), this.picture.fetch(this.path(''))])
    if (server.health?.archive?.pictures) void this.similar.fetch(`${this.path('similar')}?count=12`)
    await this.objects.fetch(this.path('objects'))
  }

  /** After the scale was set by hand, everything in nm is asked for again. */
  async scaleChanged(scale: Scale): Promise<void> {
    this.scale.value = scale
    this.objects.forget()
    await Promise.all([
      this.picture.fetch(this.path('')),
      this.objects.fetch(this.path('objects')),
      server.health?.model ? this.prediction.fetch(this.path('prediction')) : undefined,
    ])
  }
}

/** Two uploads at a time: one travels while the other is read. */
const abreast = 2

class Batch {
  items = $state<Item[]>([])
  chosenId = $state<number | null>(null)
  private last = 0
  private running = 0

  get chosen(): Item | null {
    return this.items.find((item) => item.id === this.chosenId) ?? null
  }

  get done(): number {
    return this.items.filter((item) => item.stage === 'done' || item.stage === 'failed').length
  }

  add(files: Iterable<File>): void {
    for (const file of files) {
      const item = new Item((this.last += 1), file.name, file.size, file)
      this.items.push(item)
      this.chosenId ??= item.id
    }
    this.feed()
  }

  drop(item: Item): void {
    item.stop.abort()
    const at = this.items.findIndex((other) => other.id === item.id)
    this.items.splice(at, 1)
    if (this.chosenId === item.id) this.chosenId = (this.items[at] ?? this.items[at - 1])?.id ?? null
  }

  clear(): void {
    for (const item of this.items) item.stop.abort()
    this.items = []
    this.chosenId = null
  }

  step(by: number): void {
    const at = this.items.findIndex((item) => item.id === this.chosenId)
    const next = this.items[Math.max(0, Math.min(this.items.length - 1, at + by))]
    if (next) this.chosenId = next.id
  }

  private feed(): void {
    while (this.running < abreast) {
      const next = this.items.find((item) => item.stage === 'waiting')
      if (!next) return
      this.running += 1
      next.stage = 'uploading'
      void next.run().finally(() => {
        this.running -= 1
        this.feed()
      })
    }
  }
}

export const batch = new Batch()
