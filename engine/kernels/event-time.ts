/** Reference of event-time.as.ts. */

/** Of moments that are null where there is none. */
export function newestMomentOf(
  moments: readonly (bigint | null)[],
  limit: number,
): { readonly newest: number; readonly beyond: number } {
  const known = moments.filter((moment) => moment !== null);
  const believed = known.filter((moment) => Number(moment) <= limit);
  const newest = Math.max(Number.NEGATIVE_INFINITY, ...believed.map(Number));
  return { newest, beyond: known.length - believed.length };
}
