/** Reference of order-groups.as.ts: a Map of arrays, which keeps both orders of arrival. */

/** Row numbers by key: keys by order of first arrival, the rows of each by order of arrival. */
export function orderGroups<Key>(keys: readonly Key[]): number[][] {
  const groups = new Map<Key, number[]>();
  keys.forEach((key, row) => {
    const rows = groups.get(key);
    if (rows === undefined) groups.set(key, [row]);
    else rows.push(row);
  });
  return [...groups.values()];
}
