/** Reference of spread.as.ts. */

/** The values in the rows that have one; `empty` in the others. */
export function spreadOut<T>(values: readonly T[], hasValue: readonly boolean[], empty: T): T[] {
  let taken = 0;
  return hasValue.map((has) => (has ? (values[taken++] ?? empty) : empty));
}
