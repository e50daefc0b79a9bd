/** The bytes that writers of a simulation write: at each place of a block always the same, and no two chunks alike. */

export function blockContent(blockId: number, startBytes: number, endBytes: number): Uint8Array {
  const bytes = new Uint8Array(endBytes - startBytes);
  for (let at = startBytes; at < endBytes; at++) bytes[at - startBytes] = byteAt(blockId, at);
  return bytes;
}

/** Where bytes begin to be others than those that were written at the block's start; null: nowhere. */
export function firstWrongByte(blockId: number, bytes: Uint8Array): number | null {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== byteAt(blockId, at)) return at;
  return null;
}

function byteAt(blockId: number, at: number): number {
  return (Math.imul(at + blockId * 7_919, 2_654_435_761) >>> 13) & 255;
}
