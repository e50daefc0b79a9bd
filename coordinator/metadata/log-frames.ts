/**
 * The metadata log as bytes: one line per group of events, each with its checksum. The first line is a
 * snapshot, empty at first.
 *
 *     millrace-metadata-1 <crc32c> {"snapshot":{"position":4,"term":1,"state":…}}\n
 *     millrace-metadata-1 <crc32c> {"after":4,"term":1,"atMs":…,"events":[…]}\n          positions 5, 6
 *     millrace-metadata-1 <crc32c> {"after":6,"term":2,"atM                             torn: cut off
 *
 * What is torn, what is damage, and why: base/checked-lines.ts. A line that does not continue the one before is damage, too.
 *
 * On disk: docs/formats/metadata-log.md.
 * Before: coordinator/metadata/grouped-appends.ts. After: coordinator/metadata/file-log.ts.
 */
import { decodeCheckedLines, encodeCheckedLine } from '../../base/checked-lines.ts';
import { type TypedError, typedError } from '../../base/typed-error.ts';
import type { LogGroup } from './grouped-appends.ts';
import type { LogEntry, LogSnapshot } from './metadata-log.ts';

// On disk: never renumber.
const format = { name: 'millrace-metadata', version: 1 };

export const emptySnapshot: LogSnapshot = { position: 0, term: 0, state: null };

export interface LogContent {
  readonly snapshot: LogSnapshot;
  readonly entries: readonly LogEntry[];
  /** Bytes behind the last whole line. */
  readonly tornBytes: number;
}

export function encodeGroup(group: LogGroup): Uint8Array<ArrayBuffer> {
  return encodeCheckedLine(format, group);
}

/** The bytes of a log that begins with a snapshot. */
export function encodeLog(
  { position, term, state }: LogSnapshot,
  entries: readonly LogEntry[],
): Uint8Array {
  const lines = [encodeCheckedLine(format, { snapshot: { position, term, state } })];
  for (const group of groupsOf(entries)) lines.push(encodeGroup(group));
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length, 0));
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    at += line.length;
  }
  return bytes;
}

/** Entries that follow each other with one term and time, as groups again. */
function groupsOf(entries: readonly LogEntry[]): LogGroup[] {
  const groups: { -readonly [K in keyof LogGroup]: LogGroup[K] }[] = [];
  for (const { position, term, atMs, event } of entries) {
    const last = groups.at(-1);
    if (last !== undefined && last.term === term && last.atMs === atMs) {
      last.events = [...last.events, event];
    } else groups.push({ after: position - 1, term, atMs, events: [event] });
  }
  return groups;
}

/** @throws METADATA_LOG_DAMAGED, METADATA_VERSION */
export function decodeLog(bytes: Uint8Array, path: string): LogContent {
  const { bodies, tornBytes, damagedLine, newerVersion } = decodeCheckedLines(format, bytes);
  if (newerVersion !== null) throw newerError(path, newerVersion);
  if (damagedLine !== null) {
    throw damagedError(
      path,
      `line ${damagedLine} is not whole, and there are whole ones behind it`,
    );
  }
  const [head, ...groups] = bodies.map((body) => JSON.parse(body));
  if (head?.snapshot === undefined) throw damagedError(path, 'it does not begin with a snapshot');
  return { snapshot: head.snapshot, entries: entriesIn(head.snapshot, groups, path), tornBytes };
}

function entriesIn(snapshot: LogSnapshot, groups: readonly LogGroup[], path: string): LogEntry[] {
  const entries: LogEntry[] = [];
  let { position, term } = snapshot;
  for (const [index, group] of groups.entries()) {
    if (group.after !== position || group.term < term || !Array.isArray(group.events)) {
      throw damagedError(path, `line ${index + 2} does not continue the one before`);
    }
    term = group.term;
    for (const event of group.events) {
      entries.push({ position: ++position, term, atMs: group.atMs, event });
    }
  }
  return entries;
}

function newerError(path: string, version: number): TypedError {
  return typedError('METADATA_VERSION', `metadata log "${path}" has version ${version}`, {
    hint: `This is older and reads up to version ${format.version}. Start the newer one again.`,
    details: { path, version },
  });
}

function damagedError(path: string, what: string): TypedError {
  return typedError('METADATA_LOG_DAMAGED', `metadata log "${path}" is damaged: ${what}`, {
    hint: 'Look at the disk. Bring the file back from a copy; without one, move it away, and submit the jobs from their checkpoints.',
    details: { path },
  });
}
