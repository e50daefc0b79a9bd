/**
 * A range of a file that is an Arrow stream: its schema and the pieces of its record batches, looked through in a slot
 * thread. For files of our own, whose bytes have been checked: streams without dictionaries.
 *
 * After: connectors/arrow/arrow-reader.ts
 */
import type { SyncDisk } from '../../base/env/disk.ts';
import type { Split } from '../../engine/contracts/source.ts';
import type { OpenFile } from './arrow-body.ts';
import { corruptError, parsing } from './arrow-errors.ts';
import {
  type ArrowSchema,
  continuation,
  type Message,
  prefixBytes,
  readMessage,
  readSchema,
} from './arrow-messages.ts';
import { type Piece, planColumns, splitOfParts } from './arrow-split.ts';

export interface StreamRange {
  readonly byteOffset: number;
  readonly sizeBytes: number;
}

/** @throws ARROW_CORRUPT */
export function scanStreamRange(
  disk: SyncDisk,
  file: OpenFile,
  { byteOffset, sizeBytes }: StreamRange,
): { readonly schema: ArrowSchema; readonly split: Split } {
  const { path } = file;
  const end = byteOffset + sizeBytes;
  let schema: ArrowSchema | null = null;
  const pieces: Piece[] = [];
  for (let offset = byteOffset; offset < end; ) {
    const found = messageAt(disk, file, offset, end);
    if (found === null) break;
    const { message, metadataBytes } = found;
    const { kind, bodyBytes, header } = message;
    if (kind === 'schema') schema = parsing(path, 'schema', () => readSchema(header));
    else if (kind === 'batch') {
      const messageBytes = metadataBytes + bodyBytes;
      const place = { offset, metadataBytes, bodyBytes, sizeBytes: messageBytes };
      pieces.push({ ...place, fromRow: 0, toRow: null });
    } else throw corruptError(path, `has a message at byte ${offset} that is not expected`);
    offset += metadataBytes + bodyBytes;
    if (offset > end) throw corruptError(path, 'ends in the middle of a message');
  }
  if (schema === null) throw corruptError(path, `has no schema at byte ${byteOffset}`);
  const columns = planColumns(schema.fields);
  const part = { path, fileSize: end, columns, dictionaries: [], pieces };
  return { schema, split: splitOfParts([part]) };
}

/** Null at the mark of the end. */
function messageAt(
  disk: SyncDisk,
  file: OpenFile,
  offset: number,
  end: number,
): { readonly message: Message; readonly metadataBytes: number } | null {
  const prefix = new DataView(read(disk, file, offset, Math.min(prefixBytes, end - offset)).buffer);
  const isMessage = prefix.byteLength === prefixBytes && prefix.getUint32(0, true) === continuation;
  if (!isMessage) throw corruptError(file.path, `has no message at byte ${offset}`);
  const sizeBytes = prefix.getInt32(4, true);
  if (sizeBytes === 0) return null;
  if (sizeBytes < 0 || sizeBytes > end - offset - prefixBytes) {
    throw corruptError(file.path, 'ends in the middle of a message');
  }
  const metadata = read(disk, file, offset + prefixBytes, sizeBytes);
  const message = parsing(file.path, `metadata at byte ${offset}`, () => readMessage(metadata));
  return { message, metadataBytes: prefixBytes + sizeBytes };
}

function read(disk: SyncDisk, { id, path }: OpenFile, offset: number, sizeBytes: number) {
  const bytes = new Uint8Array(sizeBytes);
  const count = disk.read(id, bytes, offset);
  if (count < sizeBytes) throw corruptError(path, 'ends in the middle of a message');
  return bytes;
}
