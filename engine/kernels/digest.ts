/** Reference of digest.as.ts: t-digests of plain objects, by the scale function as it is defined. */

export interface Centroid {
  readonly mean: number;
  readonly weight: number;
}

/** How many centroids there are at most, apart from the first, the last, and those that are no numbers. */
export const compression = 400;

/** The scale k1. */
function scaleOf(share: number): number {
  return (compression / (2 * Math.PI)) * Math.asin(Math.min(1, 2 * share - 1));
}

/** Centroids in order, merged where the scale allows it. */
export function compressed(centroids: readonly Centroid[]): Centroid[] {
  if (centroids.length < 4) return [...centroids];
  const total = centroids.reduce((sum, { weight }) => sum + weight, 0);
  const [first, ...others] = centroids as [Centroid, ...Centroid[]];
  const last = others.pop()!;
  const merged: Centroid[] = [];
  let before = first.weight;
  for (const next of others) {
    const open = merged.at(-1);
    const end = before + (open?.weight ?? 0);
    const fits =
      scaleOf((end + next.weight) / total) - scaleOf(before / total) <= 1 &&
      open !== undefined &&
      (Object.is(open.mean, next.mean) || Number.isFinite(next.mean - open.mean));
    if (fits) {
      merged[merged.length - 1] = both(open, next);
    } else {
      before = end;
      merged.push(next);
    }
  }
  return [first, ...merged, last];
}

function both(open: Centroid, next: Centroid): Centroid {
  const weight = open.weight + next.weight;
  const gap = next.mean - open.mean;
  const mean = gap > 0 ? open.mean + gap * (next.weight / weight) : open.mean;
  return { mean: Math.min(mean, next.mean), weight };
}

/** The value at a share of the way from the first value to the last; null where there is none. */
export function quantileOf(centroids: readonly Centroid[], share: number): number | null {
  const total = centroids.reduce((sum, { weight }) => sum + weight, 0);
  const target = share * (total - 1);
  let before = 0;
  const placed = centroids.map(({ mean, weight }) => {
    const center = before + (weight - 1) / 2;
    before += weight;
    return { mean, center, end: before };
  });
  const next = placed.findIndex(({ center }) => center > target);
  if (next < 0) return placed.at(-1)?.mean ?? null;
  const [left, right] = [placed[Math.max(0, next - 1)]!, placed[next]!];
  const gap = right.mean - left.mean;
  if (!Number.isFinite(gap)) return target < left.end - 0.5 ? left.mean : right.mean;
  const part = Math.max(0, (target - left.center) / (right.center - left.center));
  return Math.min(right.mean, left.mean + gap * part);
}
