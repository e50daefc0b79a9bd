/** The kernel of checksums, as TypeScript sees it. Conventions: engine/kernels/kernels.ts. */
import { crc32cTables } from '../../base/checksum.ts';

/** Bytes of the tables that the kernel works with. */
export const crcTableBytes = 16 * 256 * 4;

export interface ChecksumKernels {
  /**
   * CRC32C of bytes behind others whose checksum is `before` (0: none).
   * @param tables - What `writeCrcTables` wrote.
   * @returns The checksum as a signed number: it needs `>>> 0`.
   */
  crc32c(tables: number, from: number, sizeBytes: number, before: number): number;
}

/** Writes the tables into the room of `crcTableBytes` at the address. */
export function writeCrcTables(uint32: Uint32Array, address: number): void {
  uint32.set(crc32cTables(16), address >>> 2);
}
