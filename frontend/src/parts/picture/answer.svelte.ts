import { get, sentence } from '../../api/request'

/** An answer that is fetched when first wanted: nothing, waiting, there, or a sentence why not. */
export class Answer<T> {
  value = $state.raw<T | null>(null)
  fault = $state('')
  waiting = $state(false)

  async fetch(path: string): Promise<void> {
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
