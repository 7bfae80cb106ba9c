/**
 * The known names nearest to a word: those that begin with it, then those the fewest edits (insert, delete, replace)
 * away.
 */
export function nearestNames(word: string, names: readonly string[], count = 3): string[] {
  return names
    .map((name) => ({ name, edits: editDistance(word, name) - (name.startsWith(word) ? name.length : 0) }))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, count)
    .map(({ name }) => name)
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
