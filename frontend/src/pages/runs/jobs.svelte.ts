import { get, sentence } from '../../api/request'
import type { Job } from '../../api/types'
import { server } from '../../shell/server.svelte'

export function isOpen(job: Job): boolean {
  return job.state === 'queued' || job.state === 'running'
}

/** The server's jobs, asked for again while any of them is at work. They run there, whether a browser looks or not. */
export class Jobs {
  all = $state.raw<Job[]>([])
  fault = $state('')
  known = $state(false)
  private timer = 0
  private stopped = false

  async ask(): Promise<void> {
    clearTimeout(this.timer)
    try {
      const before = new Map(this.all.map((job) => [job.id, job.state]))
      this.all = await get<Job[]>('/api/jobs')
      this.fault = ''
      // A training that has ended may have changed which models there are.
      if (this.all.some((job) => job.state === 'done' && before.get(job.id) === 'running')) void server.ask()
    } catch (reason) {
      this.fault = sentence(reason)
    }
    this.known = true
    if (!this.stopped) this.timer = window.setTimeout(() => void this.ask(), this.all.some(isOpen) ? 1500 : 10_000)
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
  }
}
