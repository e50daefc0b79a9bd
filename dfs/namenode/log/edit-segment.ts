/**
 * A segment of the edit log as bytes: a head, and a line for each group of transactions that was written at once. A transaction is
 * the edits of one operation, and has a position: one more than the one before.
 *
 *     millrace-edits-1 <crc32c> {"head":{"clusterId":…,"after":41}}\n
 *     millrace-edits-1 <crc32c> {"after":41,"transactions":[[edit,edit],[edit]]}\n       positions 42, 43
 *     millrace-edits-1 <crc32c> {"after":43,"transac                                     torn: cut off
 *
 * On disk: docs/formats/edit-log.md. What is torn and what is damage: base/checked-lines.ts.
 */
import { decodeCheckedLines, encodeCheckedLine } from '../../../base/checked-lines.ts';
import { type TypedError, typedError } from '../../../base/typed-error.ts';
import type { Edit } from '../namespace/edit.ts';

export type Transaction = readonly Edit[];

export interface Segment {
  readonly clusterId: string;
  /** The position that its first transaction comes right behind. */
  readonly after: number;
  readonly transactions: readonly Transaction[];
  /** Bytes of its whole lines, and those behind them. */
  readonly wholeBytes: number;
  readonly tornBytes: number;
}

const format = { name: 'millrace-edits', version: 1 }; // On disk: never renumber.

export function segmentName(after: number): string {
  return `edits-${String(after).padStart(16, '0')}`;
}

/** The position that a segment of this name begins behind; null for another file. */
export function afterOfName(name: string): number | null {
  const digits = /^edits-(\d{16})$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

export function encodeSegmentHead(clusterId: string, after: number): Uint8Array<ArrayBuffer> {
  return encodeCheckedLine(format, { head: { clusterId, after } });
}

export function encodeTransactions(
  after: number,
  transactions: readonly Transaction[],
): Uint8Array<ArrayBuffer> {
  return encodeCheckedLine(format, { after, transactions });
}

/** Null for a segment whose head was never whole: nothing was ever answered by it. @throws DFS_LOG_DAMAGED, DFS_VERSION */
export function decodeSegment(bytes: Uint8Array, path: string): Segment | null {
  const { bodies, tornBytes, damagedLine, newerVersion } = decodeCheckedLines(format, bytes);
  if (newerVersion !== null) throw newerError(path, newerVersion);
  if (damagedLine !== null) {
    throw logDamagedError(
      path,
      `line ${damagedLine} is not whole, and there are whole ones behind it`,
    );
  }
  const [first, ...rest] = bodies;
  if (first === undefined) return null;
  const { head } = JSON.parse(first);
  if (head === undefined) throw logDamagedError(path, 'it does not begin with a head');
  const transactions: Transaction[] = [];
  rest.forEach((text, index) => {
    const group = JSON.parse(text);
    if (group.after !== head.after + transactions.length || !Array.isArray(group.transactions)) {
      throw logDamagedError(path, `line ${index + 2} does not continue the one before`);
    }
    for (const transaction of group.transactions) transactions.push(transaction);
  });
  const wholeBytes = bytes.length - tornBytes;
  return { clusterId: head.clusterId, after: head.after, transactions, wholeBytes, tornBytes };
}

export function logDamagedError(path: string, what: string, cause?: unknown): TypedError {
  return typedError('DFS_LOG_DAMAGED', `edit log "${path}" is damaged: ${what}`, {
    hint: "Nothing was written. Look at the disk, and bring the namenode's folder back from a copy.",
    details: { path },
    cause,
  });
}

export function newerError(path: string, version: number): TypedError {
  return typedError(
    'DFS_VERSION',
    `"${path}" was written by a newer version, in format ${version}`,
    {
      hint: 'Start the newer namenode again; this one does not read it.',
      details: { path, version },
    },
  );
}
