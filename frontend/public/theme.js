// Runs before the first paint, so that a chosen theme does not flash. A file of its own: the page allows no inline script.
try {
  const chosen = localStorage.getItem('morphoscope.theme')
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen
} catch {
  // Storage is switched off: the system's theme is used.
}
