/** Reference of partition.as.ts: one list of places per partition. */

export function placesOfPartitions(
  hashes: readonly number[],
  partitionOfKeyGroup: Uint16Array,
  partitionCount: number,
): number[][] {
  const places: number[][] = Array.from({ length: partitionCount }, () => []);
  hashes.forEach((hash, place) => {
    places[partitionOfKeyGroup[hash >>> 25]!]!.push(place);
  });
  return places;
}
