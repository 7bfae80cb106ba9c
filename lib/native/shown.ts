/**
 * A value for a message: as JSON where it is data, on one line, and cut where it is long. It never throws, however odd the
 * value is or however deep it nests.
 */
export function shown(value: unknown): string {
  const text = textOf(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function textOf(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return Array.isArray(value) ? 'a list that cannot be shown' : 'an object that cannot be shown'
  }
}
