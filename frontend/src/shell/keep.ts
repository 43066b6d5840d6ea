/** Small things this browser remembers (an annotator's name, a chosen task). Never pictures, never tokens. */
export function recall(name: string, otherwise = ''): string {
  try {
    return localStorage.getItem(`morphoscope.${name}`) ?? otherwise
  } catch {
    return otherwise
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`morphoscope.${name}`, value)
  } catch {
    // Storage is switched off: nothing is remembered.
  }
}
