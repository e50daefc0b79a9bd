/**
 * Nearest names: which of the valid names a person meant. Every error that says "no … named" lists
 * the names in this order, so the likely one is read first.
 */

/** The names ordered by likeness to `name`, the most alike first; equals keep their order. */
export function nearestNames(name: string, names: readonly string[]): string[] {
  return names
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

/** The most alike name when it is alike enough to be meant (a third of it may differ), or null. */
export function nearestName(name: string, names: readonly string[]): string | null {
  const nearest = nearestNames(name, names)[0];
  if (nearest === undefined) return null;
  const allowed = Math.max(1, Math.ceil(Math.max(name.length, nearest.length) / 3));
  return editDistance(name, nearest) <= allowed ? nearest : null;
}

/**
 * Letters to insert, remove, change or swap with their neighbour; upper and lower case are alike.
 *
 * @see Damerau and Levenshtein, the variant that edits no place twice ("optimal string alignment").
 */
function editDistance(left: string, right: string): number {
  const a = left.toLowerCase();
  const b = right.toLowerCase();
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
