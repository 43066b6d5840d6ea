/** Dark, light, or the system's. What is chosen is kept in this browser; theme.js applies it before the first paint. */
export type Theme = 'system' | 'light' | 'dark'

const place = 'morphoscope.theme'

class Chosen {
  theme = $state<Theme>('system')
  /** Goes up whenever colours may have changed, so that canvases know to draw again. */
  turn = $state(0)

  constructor() {
    const at = document.documentElement.dataset.theme
    if (at === 'dark' || at === 'light') this.theme = at
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => (this.turn += 1))
  }

  choose(theme: Theme): void {
    this.theme = theme
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    this.turn += 1
    try {
      if (theme === 'system') localStorage.removeItem(place)
      else localStorage.setItem(place, theme)
    } catch {
      // Storage is switched off: the choice lasts as long as the tab.
    }
  }
}

export const chosen = new Chosen()
