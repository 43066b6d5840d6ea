/** Sentences shown for a while at the foot of the page, and read out by screen readers. */
export interface Notice {
  id: number
  text: string
  kind: 'plain' | 'good' | 'bad'
}

class Notices {
  all = $state<Notice[]>([])
  private last = 0

  say(text: string, kind: Notice['kind'] = 'plain'): void {
    const id = (this.last += 1)
    this.all.push({ id, text, kind })
    if (this.all.length > 4) this.all.shift()
    setTimeout(() => this.drop(id), kind === 'bad' ? 12000 : 5000)
  }

  drop(id: number): void {
    this.all = this.all.filter((notice) => notice.id !== id)
  }
}

export const notices = new Notices()
