/**
 * The port of the metadata log: one order of events that all coordinators agree on. Everything that a
 * coordinator must not forget is in it; the state is a fold over it (metadata-state.ts).
 *
 *     position   1  2  3 │ 4  5 │ 6      one more with each event
 *     term       1  1  1 │ 1  1 │ 2      of the leader that appended it: the leader lease's fencing token
 *
 * Contract of an implementation; one suite checks them all (test/support/metadata-log-cases.ts):
 * - An append is done whole or not at all, right behind `after`, and only when nothing is behind it: so what
 *   was decided by a state is appended only while that is the state.
 * - An append with an older term than one that was accepted is refused: a leader that was replaced writes
 *   nothing, however late it learns of it.
 * - What was answered with ok, read or told to a watcher is durable: it is never taken back.
 * - `head` and `read` show at least what was answered before they were called.
 * - Appends may be made one behind the other, without waiting for answers; they share writes.
 */
import type { JsonValue } from '../../base/rpc/message.ts';

export interface LogEntry {
  readonly position: number;
  readonly term: number;
  /** By the clock of its writer: for people. */
  readonly atMs: number;
  readonly event: JsonValue;
}

export interface LogHead {
  /** Of the last event; 0 for an empty log. */
  readonly position: number;
  /** The greatest that was accepted; 0 for an empty log. */
  readonly term: number;
}

/** What the events up to a position come to; they may be gone. */
export interface LogSnapshot extends LogHead {
  readonly state: JsonValue;
}

export interface LogPage {
  /** Where the events behind the asked position are no longer all there: begin with this. */
  readonly snapshot: LogSnapshot | null;
  readonly entries: readonly LogEntry[];
}

export interface AppendRequest {
  /** The position that the events come right behind. */
  readonly after: number;
  readonly term: number;
  readonly events: readonly JsonValue[];
}

export type AppendOutcome =
  /** `position`: of the last of them. */
  | { readonly kind: 'ok'; readonly position: number }
  /** Something else is there already; nothing was done. */
  | { readonly kind: 'conflict' }
  /** A later term has been there; nothing was done. */
  | { readonly kind: 'fenced'; readonly term: number }
  /** Surely not done. */
  | { readonly kind: 'failed' }
  /** Perhaps done, perhaps later: only a read can tell. */
  | { readonly kind: 'unknown' };

/** Takes in what has become durable, in order and without a gap; a snapshot replaces all before it. */
export type LogListener = (page: LogPage) => void;

export interface MetadataLog {
  /** Rejects when the log can't be reached. */
  head(): Promise<LogHead>;
  /** What is behind a position. Rejects when the log can't be reached. */
  read(after: number): Promise<LogPage>;
  /** Never rejects, but for METADATA_APPEND_TOO_LARGE. */
  append(request: AppendRequest): Promise<AppendOutcome>;
  /** Tells what is behind a position, now and from now on; answers with what ends it. */
  watch(after: number, listener: LogListener): () => void;
  /** Puts a snapshot in place of the events up to its position. Never rejects. */
  compact(snapshot: LogSnapshot): Promise<AppendOutcome>;
  close(): Promise<void>;
}

/** Bytes of JSON that one append may have: a job is known by the hash of its bundle, not by its bytes. */
export const appendBytesMax = 512 * 1024;
