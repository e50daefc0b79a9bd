/**
 * Digest kernels: a merging t-digest over values that lie in order. A digest is centroids in order, each a mean
 * and a weight; one may be the heavier the further it is from both ends, so ranks near an end stay exact.
 *
 *     values     1  2  2  3  5  8  9  9       each of weight 1
 *     centroids  1 · 2.0 ×2 · 4.0 ×2 · 8.5 ×2 · 9        the first and the last are always alone
 *
 * How heavy is what the scale k1 says, k(q) = compression / 2π · asin(2q - 1): a centroid spans at most 1 of it.
 * Where that ends is computed by sin(a + b) = sin a cos b + cos a sin b, so that a square root is all it takes.
 * Infinities and NaN, which are at the ends, are centroids of their own and never part of a mean.
 *
 * @see Dunning and Ertl 2019, Computing Extremely Accurate Quantiles Using t-Digests
 */
import { isValid } from './inline.as';

/** Cosine and sine of 2π / 400, the step that one centroid may span: the compression is 400. */
@inline const stepCosine: f64 = 0.9998766324816606;
@inline const stepSine: f64 = 0.015707317311820675;

/** Centroids that an open digest has room for: `digestLayout` in digest-kernels.ts. */
@inline const capacity: u32 = 2048;
@inline const headBytes: usize = 8;

/** Up to which share of all values a centroid goes that begins at this one. */
@inline function limitOf(share: f64): f64 {
  const y = 2 * share - 1;
  if (y >= stepCosine) return 1;
  return (y * stepCosine + sqrt<f64>(1 - y * y) * stepSine + 1) / 2;
}

/** Merges neighbours among centroids in order, in place; how many are left. */
function compress(means: usize, weights: usize, count: u32): u32 {
  if (count < 4) return count;
  let total: f64 = 0;
  for (let at: u32 = 0; at < count; at++) total += load<f64>(weights + (<usize>at << 3));
  const last = count - 1;
  let before = load<f64>(weights);
  let mean = load<f64>(means, 8);
  let weight = load<f64>(weights, 8);
  let limit = total * limitOf(before / total);
  let left: u32 = 1;
  for (let at: u32 = 2; at < last; at++) {
    const next = load<f64>(means + (<usize>at << 3));
    const nextWeight = load<f64>(weights + (<usize>at << 3));
    const gap = next - mean;
    // Without a finite gap they are equal infinities, two NaN, or no neighbours.
    const isNear = gap < Infinity || mean == next || mean != mean;
    if (isNear && before + weight + nextWeight <= limit) {
      weight += nextWeight;
      if (gap > 0) mean = min<f64>(next, mean + gap * (nextWeight / weight));
      continue;
    }
    store<f64>(means + (<usize>left << 3), mean);
    store<f64>(weights + (<usize>left << 3), weight);
    left++;
    before += weight;
    limit = total * limitOf(before / total);
    mean = next;
    weight = nextWeight;
  }
  store<f64>(means + (<usize>left << 3), mean);
  store<f64>(weights + (<usize>left << 3), weight);
  left++;
  store<f64>(means + (<usize>left << 3), load<f64>(means + (<usize>last << 3)));
  store<f64>(weights + (<usize>left << 3), load<f64>(weights + (<usize>last << 3)));
  return left + 1;
}

/** The value at a share of the way from the first to the last: between two centres by a straight line. */
function quantileOf(means: usize, weights: usize, count: u32, share: f64): f64 {
  let total: f64 = 0;
  for (let at: u32 = 0; at < count; at++) total += load<f64>(weights + (<usize>at << 3));
  const target = share * (total - 1);
  let mean = load<f64>(means);
  let weight = load<f64>(weights);
  let before: f64 = 0;
  for (let at: u32 = 1; at < count; at++) {
    const next = load<f64>(means + (<usize>at << 3));
    const nextWeight = load<f64>(weights + (<usize>at << 3));
    const end = before + weight;
    const center = before + (weight - 1) / 2;
    const nextCenter = end + (nextWeight - 1) / 2;
    if (target < nextCenter) {
      const gap = next - mean;
      if (!(gap < Infinity)) return target < end - 0.5 ? mean : next;
      return min<f64>(next, mean + gap * max<f64>(0, (target - center) / (nextCenter - center)));
    }
    before = end;
    mean = next;
    weight = nextWeight;
  }
  return mean;
}

export function digestRows(
  values: usize, validity: usize, marks: usize, rowCount: u32, outMeans: usize, outWeights: usize, outRows: usize,
): u32 {
  let found: u32 = 0;
  let start: u32 = 0;
  while (start < rowCount) {
    let count: u32 = 0;
    let end = start;
    do {
      const at = <usize>end << 3;
      const isValue = isValid(validity, end);
      store<f64>(outMeans + at, load<f64>(values + at));
      store<f64>(outWeights + at, isValue ? 1 : 0);
      count += u32(isValue);
      end++;
    } while (end < rowCount && !load<u8>(marks + end));
    const at = <usize>start << 3;
    const left = count == 0 ? 1 : compress(outMeans + at, outWeights + at, count);
    for (let row = start; row < start + left; row++, found++) store<u32>(outRows + (<usize>found << 2), row);
    start = end;
  }
  return found;
}

/** Writes the quantiles of the open digest, and empties it. */
export function endDigest(
  digest: usize, shares: usize, shareCount: u32, segment: u32, out: usize, stride: u32, validity: usize,
): void {
  const means = digest + headBytes;
  const weights = means + (<usize>capacity << 3);
  // Centroids of digests of one kind lie at the same places: merged, they stand for the values between as well.
  const count = compress(means, weights, load<u32>(digest));
  if (count == 0) return;
  for (let share: u32 = 0; share < shareCount; share++) {
    const found = quantileOf(means, weights, count, load<f64>(shares + (<usize>share << 3)));
    store<f64>(out + <usize>share * stride + (<usize>segment << 3), found);
  }
  const byte = validity + (segment >> 3);
  store<u8>(byte, load<u8>(byte) | <u8>(<u32>1 << (segment & 7)));
  store<u32>(digest, 0);
}

export function foldDigests(
  means: usize, validity: usize, weights: usize, segments: usize, rowCount: u32, digest: usize, shares: usize,
  shareCount: u32, out: usize, stride: u32, outValidity: usize,
): void {
  const openMeans = digest + headBytes;
  const openWeights = openMeans + (<usize>capacity << 3);
  let open: u32 = 0;
  for (let row: u32 = 0; row < rowCount; row++) {
    const segment = load<u32>(segments + (<usize>row << 2));
    if (segment != open) endDigest(digest, shares, shareCount, open, out, stride, outValidity);
    open = segment;
    if (!isValid(validity, row)) continue;
    let count = load<u32>(digest);
    if (count == capacity) count = compress(openMeans, openWeights, count);
    store<f64>(openMeans + (<usize>count << 3), load<f64>(means + (<usize>row << 3)));
    store<f64>(openWeights + (<usize>count << 3), load<f64>(weights + (<usize>row << 3)));
    store<u32>(digest, count + 1);
  }
}
