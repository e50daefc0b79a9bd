/** Reference of ndjson.as.ts: one line at a time, by JSON.parse. */

/**
 * The members of a line by name, of two with one name the last; `empty` for a line that is no record,
 * `bad` for one that is no JSON object.
 */
export function membersOf(line: string): Readonly<Record<string, unknown>> | 'empty' | 'bad' {
  if (/^[ \t\r]*$/.test(line)) return 'empty';
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : 'bad';
  } catch {
    return 'bad';
  }
}
