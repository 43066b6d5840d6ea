import { get, onRefused, send, sentence } from '../api/request'
import type { Health, Model, Session } from '../api/types'

/** What the server is and has: asked for at the start, and again when a job may have changed it. */
class Server {
  health = $state.raw<Health | null>(null)
  model = $state.raw<Model | null>(null)
  fault = $state('')
  needsToken = $state(false)
  session = $state.raw<Session | null>(null)

  constructor() {
    onRefused(() => (this.needsToken = true))
  }

  /** Whether the one who looks may do what needs this role; without tokens everybody may do all. */
  may(role: 'annotator' | 'admin'): boolean {
    if (!this.session?.needs_token) return true
    return this.session.role === 'admin' || this.session.role === role
  }

  get ready(): boolean {
    return this.health !== null && !this.needsToken
  }

  async ask(): Promise<void> {
    try {
      const [health, session] = await Promise.all([get<Health>('/api/health'), get<Session>('/api/session')])
      this.session = session
      this.needsToken = session.needs_token && session.role === null
      this.health = health
      if (!this.needsToken && health.model) this.model = await get<Model>('/api/model')
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
