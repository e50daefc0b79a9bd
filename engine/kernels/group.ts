/** Reference of group.as.ts and table.as.ts: a Map from key to the places of its rows. */

/** Rows by key; a null is a key of its own. Keys are texts, or int64 in decimal. */
export function groupRows<Key extends string | bigint>(
  keys: readonly (Key | null)[],
): Map<Key | null, number[]> {
  const groups = new Map<Key | null, number[]>();
  keys.forEach((key, row) => {
    const rows = groups.get(key);
    if (rows === undefined) groups.set(key, [row]);
    else rows.push(row);
  });
  return groups;
}
