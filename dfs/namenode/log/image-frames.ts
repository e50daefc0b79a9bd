/**
 * Frames of an fsimage: columns of rows, each frame with its number and a checksum.
 *
 *     "millrace-fsimage-1\n"  │ frame 0: head │ frames: inodes … │ frames: blocks … │ last frame: tail
 *     frame   kind u32 │ number u32 │ rows u32 │ bytes u32 │ CRC32C u32 of the 16 bytes before and of the body │ body
 *
 * Numbers are little-endian; in a body all 8-byte columns come first, then those of 4, 2 and 1, so each is aligned.
 * On disk: docs/formats/fsimage.md.
 */
import type { Checksum } from '../../../base/checksum.ts';
import { type TypedError, typedError } from '../../../base/typed-error.ts';

/** On disk: never renumber. */
export const frameKinds = { head: 0, inodes: 1, blocks: 2, tail: 3 } as const;
export const imageMagic = 'millrace-fsimage-';
export const imageVersion = 1;
export const frameHeadBytes = 20;

export type ColumnWidth = 8 | 4 | 2 | 1;
type Values = Float64Array | Uint32Array | Uint16Array | Uint8Array;

export interface Frame {
  readonly kind: number;
  readonly number: number;
  readonly rows: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

export function encodeMagic(): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${imageMagic}${imageVersion}\n`);
}

/** The first bytes of a frame, to be written in front of its body. */
export function encodeFrameHead(frame: Frame, checksum: Checksum): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(frameHeadBytes);
  const view = new DataView(head.buffer);
  const { kind, number, rows, body } = frame;
  [kind, number, rows, body.length].forEach((value, index) => {
    view.setUint32(index * 4, value, true);
  });
  view.setUint32(16, checksum(body, checksum(head.subarray(0, 16))), true);
  return head;
}

export interface FrameHead {
  readonly kind: number;
  readonly number: number;
  readonly rows: number;
  readonly bodyBytes: number;
}

export function decodeFrameHead(head: Uint8Array): FrameHead {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const at = (index: number) => view.getUint32(index * 4, true);
  return { kind: at(0), number: at(1), rows: at(2), bodyBytes: at(3) };
}

export function isFrameWhole(head: Uint8Array, body: Uint8Array, checksum: Checksum): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return view.getUint32(16, true) === checksum(body, checksum(head.subarray(0, 16)));
}

/** A body of columns in the order of `widths`, which must not grow, and bytes behind them. */
export class FrameColumns {
  readonly columns: readonly Values[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly body: Uint8Array<ArrayBuffer>;

  constructor(widths: readonly ColumnWidth[], rows: number, body: Uint8Array<ArrayBuffer>) {
    let at = 0;
    this.columns = widths.map((width) => {
      const start = at;
      at += width * rows;
      if (width === 8) return new Float64Array(body.buffer, start, rows);
      if (width === 4) return new Uint32Array(body.buffer, start, rows);
      if (width === 2) return new Uint16Array(body.buffer, start, rows);
      return new Uint8Array(body.buffer, start, rows);
    });
    this.bytes = body.subarray(at);
    this.body = body;
  }

  static make(widths: readonly ColumnWidth[], rows: number, moreBytes: number): FrameColumns {
    const sizeBytes = columnBytes(widths, rows) + moreBytes;
    return new FrameColumns(widths, rows, new Uint8Array(sizeBytes));
  }

  set(column: number, row: number, value: number): void {
    const values = this.columns[column];
    if (values !== undefined) values[row] = value;
  }

  get(column: number, row: number): number {
    return this.columns[column]?.[row] ?? 0;
  }
}

function columnBytes(widths: readonly ColumnWidth[], rows: number): number {
  return widths.reduce((sum: number, width) => sum + width * rows, 0);
}

/** Column order of a frame of inodes; names, one behind the other, follow. */
export const inodeColumns = {
  ...{ id: 0, blockSize: 1, modifiedMs: 2, accessedMs: 3, owner: 4, group: 5, contentCount: 6 },
  ...{ mode: 7, replication: 8, nameLength: 9 },
} as const;
export const inodeWidths = [8, 8, 8, 8, 4, 4, 4, 2, 2, 1] as const satisfies ColumnWidth[];

export const blockColumns = { id: 0, generationStamp: 1, lengthBytes: 2, state: 3 } as const;
export const blockWidths = [8, 8, 8, 1] as const satisfies ColumnWidth[];

/** JSON of the first frame. */
export interface ImageHead {
  readonly clusterId: string;
  /** The position of the last transaction that is in it. */
  readonly position: number;
}

/** JSON of the last frame. Inodes are named by their number in the image. */
export interface ImageTail {
  readonly inodeCount: number;
  readonly blockCount: number;
  readonly nextInodeId: number;
  readonly nextBlockId: number;
  readonly nextGenerationStamp: number;
  /** What `owner` and `group` are numbers in. */
  readonly people: readonly string[];
  readonly quotas: readonly {
    readonly inode: number;
    readonly namesMax: number | null;
    readonly spaceBytesMax: number | null;
    readonly names: number;
    readonly spaceBytes: number;
  }[];
  readonly openFiles: readonly { readonly inode: number; readonly clientName: string }[];
}

export function imageDamagedError(path: string, what: string, cause?: unknown): TypedError {
  return typedError('DFS_IMAGE_DAMAGED', `fsimage "${path}" is damaged: ${what}`, {
    hint: "Nothing was written. Look at the disk, and bring the namenode's folder back from a copy.",
    details: { path },
    cause,
  });
}
