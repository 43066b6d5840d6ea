/** Hands a file made in the browser to the user; nothing goes to the server. */
export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content)
  const anchor = document.createElement('a')
  anchor.href = address
  anchor.download = name
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const plain = String(value)
  // A name that starts as a formula must not run when a spreadsheet opens the file.
  const safe = /^[=+\-@\t\r]/.test(plain) && typeof value === 'string' ? `'${plain}` : plain
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Rows as CSV: the columns are the union of the rows' own, in the order of their first appearance. */
export function toCsv(rows: Record<string, unknown>[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((line) => line.map(cell).join(',')).join('\n') + '\n'
}

export function downloadCsv(name: string, rows: Record<string, unknown>[]): void {
  download(name, new Blob([toCsv(rows)], { type: 'text/csv' }))
}

export function stem(name: string): string {
  return name.replace(/^.*[/\\]/, '').replace(/\.[^.]+$/, '')
}
