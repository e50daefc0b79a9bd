/** Reference of fixed-records.as.ts. */

/** The field at `offset` of all records. */
export function fieldsOfRecords(
  bytes: Uint8Array,
  record: { readonly size: number; readonly offset: number; readonly width: number },
): Uint8Array[] {
  const { size, offset, width } = record;
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size + offset, index * size + offset + width),
  );
}
