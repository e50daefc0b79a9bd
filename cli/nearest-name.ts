/** The valid name that somebody probably meant: fewest letters to change, and not too many. */

/** Returns the nearest of `names`, or null when none is near. */
export function nearestName(written: string, names: readonly string[]): string | null {
  const distanceMax = Math.max(1, Math.floor(written.length / 3));
  let nearest: string | null = null;
  let least = distanceMax + 1;
  for (const name of names) {
    const distance = isBeginning(written, name) ? 1 : editDistance(written, name);
    if (distance < least) {
      nearest = name;
      least = distance;
    }
  }
  return nearest;
}

/** `--par` for `--parallelism`: a beginning says more than its distance. */
function isBeginning(written: string, name: string): boolean {
  return written.length >= 3 && name.startsWith(written);
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn `from` into `to`.
 *
 * @see Damerau 1964, in the form where no part is edited twice.
 */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      let least = Math.min(
        at(above, column) + 1,
        at(current, column - 1) + 1,
        at(above, column - 1) + (isSame ? 0 : 1),
      );
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && isSwap) least = Math.min(least, at(before, column - 2) + 1);
      current.push(least);
    }
    before = above;
    above = current;
  }
  return at(above, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
