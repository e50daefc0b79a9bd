/** References of versions.as.ts: versions as objects, and a look at each of them. */

/** A version of a key. */
export interface Version {
  readonly group: number;
  readonly time: bigint;
  readonly tie: number;
}

/** Who asks: the version of a key at a time. */
export interface VersionQuery {
  readonly group: number;
  readonly time: bigint;
}

/**
 * The row of the last version at a time or before, or -1.
 * @param tolerance - How old it may be; null: as old as it likes.
 */
export function versionAt(
  versions: readonly Version[],
  { group, time }: VersionQuery,
  tolerance: bigint | null,
): number {
  let found = -1;
  for (const [row, version] of versions.entries()) {
    if (version.group !== group || version.time > time) continue;
    const best = versions[found];
    if (best === undefined || !isLater(best, version)) found = row;
  }
  const version = versions[found];
  if (version === undefined || tolerance === null) return found;
  return time - version.time <= tolerance ? found : -1;
}

/** The rows that somebody who asks at `bound` or later can find. */
export function liveVersionsOf(
  versions: readonly Version[],
  bound: bigint,
  tolerance: bigint | null,
): number[] {
  return [...versions.keys()].filter((row) => {
    const version = versions[row];
    if (version === undefined || version.time >= bound) return version !== undefined;
    return versionAt(versions, { group: version.group, time: bound }, tolerance) === row;
  });
}

function isLater(one: Version, other: Version): boolean {
  return one.time === other.time ? one.tie > other.tie : one.time > other.time;
}
