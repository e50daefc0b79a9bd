/**
 * The metadata log as bytes: one line per group of events, each with its checksum. The first line is a
 * snapshot, empty at first.
 *
 *     millrace-metadata-1 <crc32c> {"snapshot":{"position":4,"term":1,"state":…}}\n
 *     millrace-metadata-1 <crc32c> {"after":4,"term":1,"atMs":…,"events":[…]}\n          positions 5, 6
 *     millrace-metadata-1 <crc32c> {"after":6,"term":2,"atM                             torn: cut off
 *
 * A line is one write, and the next one is written only when it is durable. So after a crash only the end
 * can be torn, and nobody was told of it. Whatever is not whole with a whole line behind it, and a line that
 * does not continue the one before, is damage: an error, never a guess.
 *
 * On disk: docs/formats/metadata-log.md.
 * Before: coordinator/metadata/grouped-appends.ts. After: coordinator/metadata/file-log.ts.
 */
import { decodeChecked, encodeChecked, versionOf } from '../../base/checked-text.ts';
import { type TypedError, typedError } from '../../base/typed-error.ts';
import type { LogGroup } from './grouped-appends.ts';
import type { LogEntry, LogSnapshot } from './metadata-log.ts';

// On disk: never renumber.
const formatName = 'millrace-metadata';
const formatVersion = 1;
const lineEnd = 0x0a;

export const emptySnapshot: LogSnapshot = { position: 0, term: 0, state: null };

export interface LogContent {
  readonly snapshot: LogSnapshot;
  readonly entries: readonly LogEntry[];
  /** Bytes behind the last whole line. */
  readonly tornBytes: number;
}

export function encodeGroup(group: LogGroup): Uint8Array<ArrayBuffer> {
  return encodeLine({ ...group });
}

/** The bytes of a log that begins with a snapshot. */
export function encodeLog(
  { position, term, state }: LogSnapshot,
  entries: readonly LogEntry[],
): Uint8Array {
  const lines = [encodeLine({ snapshot: { position, term, state } })];
  for (const group of groupsOf(entries)) lines.push(encodeGroup(group));
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length, 0));
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    at += line.length;
  }
  return bytes;
}

function encodeLine(body: object): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify({ version: formatVersion, ...body });
  return encodeChecked(`${formatName}-${formatVersion}`, text);
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
  const lines = linesOf(bytes);
  const bodies = lines.map((line) => decodeChecked(`${formatName}-${formatVersion}`, line));
  const firstTorn = bodies.indexOf(null);
  const wholeCount = firstTorn < 0 ? bodies.length : firstTorn;
  const torn = lines.slice(wholeCount);
  for (const line of torn) refuseNewer(line, path);
  if (torn.some(hidesWholeLine)) {
    const what = `line ${wholeCount + 1} is not whole, and there are whole ones behind it`;
    throw damagedError(path, what);
  }
  const [head, ...groups] = bodies.slice(0, wholeCount).map((body) => JSON.parse(body ?? ''));
  if (head?.snapshot === undefined) throw damagedError(path, 'it does not begin with a snapshot');
  const tornBytes = torn.reduce((sum, line) => sum + line.length, 0);
  return { snapshot: head.snapshot, entries: entriesIn(head.snapshot, groups, path), tornBytes };
}

/** With their ends; what is behind the last end is one, too. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lineEnd, start);
    const end = found < 0 ? bytes.length : found + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

/** True for a whole line, and for what ends with one because the end of the line before it is damaged. */
function hidesWholeLine(line: Uint8Array): boolean {
  const format = `${formatName}-${formatVersion}`;
  const name = new TextEncoder().encode(`${format} `);
  for (let at = 0; at + name.length < line.length; at++) {
    const isName = name.every((byte, index) => line[at + index] === byte);
    if (isName && decodeChecked(format, line.subarray(at)) !== null) return true;
  }
  return false;
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

function refuseNewer(line: Uint8Array, path: string): void {
  const version = versionOf(formatName, line) ?? 0;
  if (version <= formatVersion) return;
  throw typedError('METADATA_VERSION', `metadata log "${path}" has version ${version}`, {
    hint: `This is older and reads up to version ${formatVersion}. Start the newer one again.`,
    details: { path, version },
  });
}

function damagedError(path: string, what: string): TypedError {
  return typedError('METADATA_LOG_DAMAGED', `metadata log "${path}" is damaged: ${what}`, {
    hint: 'Look at the disk. Bring the file back from a copy; without one, move it away, and submit the jobs from their checkpoints.',
    details: { path },
  });
}
