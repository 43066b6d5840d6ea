import type { Hit, Objects, Picture, Prediction, Scale } from '../../api/types'
import { server } from '../../shell/server.svelte'
import { Answer } from './answer.svelte'

/** One picture of the server, an upload or of the archive, with everything that can be asked about it. */
export class PictureAnswers {
  key = $state<string | null>(null)
  prediction = new Answer<Prediction>()
  picture = new Answer<Picture>()
  scale = new Answer<Scale>()
  objects = new Answer<Objects>()
  similar = new Answer<Hit[]>()
  private looked = false

  constructor(
    public name: string,
    key: string | null = null,
  ) {
    this.key = key
  }

  path(part: string): string {
    return `/api/pictures/${this.key}${part ? `/${part}` : ''}`
  }

  /** At once what the pixels say; where the picture's own scale bar changes that, its word follows. */
  async classify(onFirst: () => void = () => undefined): Promise<void> {
    if (server.health?.model) await this.prediction.fetch(`${this.path('prediction')}?quick=true`)
    onFirst()
    if (this.prediction.value?.is_final === false) await this.prediction.fetch(this.path('prediction'))
  }

  /** The slower answers, asked for once the picture is looked at. The scale comes first: sizes depend on it. */
  async look(): Promise<void> {
    if (!this.key || this.looked) return
    this.looked = true
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
