import { get, onRefused, send, sentence } from '../api/request'
import type { Health, Model } from '../api/types'

/** What the server is and has: asked for at the start, and again when a job may have changed it. */
class Server {
  health = $state.raw<Health | null>(null)
  model = $state.raw<Model | null>(null)
  fault = $state('')
  needsToken = $state(false)

  constructor() {
    onRefused(() => (this.needsToken = true))
  }

  get ready(): boolean {
    return this.health !== null && !this.needsToken
  }

  async ask(): Promise<void> {
    try {
      const health = await get<Health>('/api/health')
      this.needsToken = health.token_needed === true
      if (!this.needsToken && health.model) this.model = await get<Model>('/api/model')
      this.health = health
      this.fault = ''
    } catch (reason) {
      this.fault = sentence(reason)
    }
  }

  async giveToken(token: string): Promise<void> {
    await send('POST', '/api/session', { token })
    this.needsToken = false
    await this.ask()
  }
}

export const server = new Server()
