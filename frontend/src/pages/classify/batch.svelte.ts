import { isAbort, sentence } from '../../api/request'
import type { Upload } from '../../api/types'
import { upload } from '../../api/upload'
import { PictureAnswers } from '../../parts/picture/picture.svelte'

export type Stage = 'waiting' | 'uploading' | 'classifying' | 'done' | 'failed'

/** One dropped file on its way from the disk to its answers. */
export class Item extends PictureAnswers {
  stage = $state<Stage>('waiting')
  uploaded = $state(0)
  fault = $state('')
  upload = $state.raw<Upload | null>(null)
  readonly stop = new AbortController()

  constructor(
    readonly id: number,
    name: string,
    readonly bytes: number,
    public file: File | null,
  ) {
    super(name)
  }

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
      await this.classify(() => (this.stage = 'done'))
    } catch (reason) {
      this.stage = 'failed'
      this.fault = isAbort(reason) ? 'Stopped before it was uploaded.' : sentence(reason)
    }
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
