/** References of entries.as.ts: which slots are listed, how entries lie as rows, and what is merged into what. */

/** An entry as its record says. */
export interface KernelEntry {
  readonly hash: number;
  readonly group: number;
  readonly key: Uint8Array;
  readonly subKey: Uint8Array;
  /** Null: it was deleted. */
  readonly value: Uint8Array | null;
  readonly expiresAtMs: number;
  /** Bytes that the value may have in its place. */
  readonly capacity: number;
}

/** What is in the slots of some steps; `slots` are a power of two. */
export function listedEntries<Entry>(
  slots: readonly (Entry | null)[],
  fromStep: number,
  steps: number,
): Entry[] {
  const order = Array.from({ length: steps }, (_, step) => {
    return (Math.imul(fromStep + step, 0x9e37_79b1) >>> 0) & (slots.length - 1);
  });
  return order.flatMap((slot) => slots[slot] ?? []);
}

/** How many entries have room for their long texts. */
export function fittingEntries(entries: readonly KernelEntry[], textBytes: number): number {
  let used = 0;
  const end = entries.findIndex(({ key, subKey, value }) => {
    const sizes = [key.length, subKey.length, value?.length ?? 0];
    if (used + sizes.reduce((sum, size) => sum + size) > textBytes) return true;
    used += sizes.reduce((sum, size) => sum + (size > 8 ? size : 0), 0);
    return false;
  });
  return end < 0 ? entries.length : end;
}

/** Entries with the values that others have brought, and those others that were left. */
export function mergedEntries(
  from: readonly KernelEntry[],
  into: readonly KernelEntry[],
  nowMs: number,
): { readonly merged: KernelEntry[]; readonly left: KernelEntry[] } {
  const merged = [...into];
  const left = from.filter((entry) => {
    const { value, expiresAtMs } = entry;
    const at = merged.findIndex((other) => hasSameKey(entry, other));
    const target = merged[at];
    if (target === undefined || value === null || expiresAtMs <= nowMs) return true;
    if (value.length > target.capacity) return true;
    merged[at] = { ...target, value, expiresAtMs };
    return false;
  });
  return { merged, left };
}

function hasSameKey(left: KernelEntry, right: KernelEntry): boolean {
  const isSame = (one: Uint8Array, other: Uint8Array) => one.join() === other.join();
  return isSame(left.key, right.key) && isSame(left.subKey, right.subKey);
}
