/**
 * Group commit: appends that come while one is being written wait, and are written together. One write and
 * one fsync, or one transaction, then serve them all.
 *
 *     append 5 ──▶ writing ─────────────▶ ok
 *     append 6 ──▶      waits │
 *     append 7 ──▶      waits │──────────▶ writing 6 and 7 ──▶ ok, ok
 *
 * Positions and terms are checked when an append comes, against the end of what is under way: so a leader
 * may append one behind the other. Where a group does not arrive, what waits behind it was decided by
 * events that are not there, and fails, too.
 *
 * Before: coordinator/metadata/metadata-log.ts. After: coordinator/metadata/file-log.ts.
 */
import type { JsonValue } from '../../base/rpc/message.ts';
import { typedError } from '../../base/typed-error.ts';
import {
  type AppendOutcome,
  type AppendRequest,
  appendBytesMax,
  type LogEntry,
  type LogHead,
} from './metadata-log.ts';

/** Events of one term that are written at once. */
export interface LogGroup {
  readonly after: number;
  readonly term: number;
  readonly atMs: number;
  readonly events: readonly JsonValue[];
}

export interface GroupWriter {
  /** Writes a group behind the head; ok when it is durable. Never rejects. */
  write(group: LogGroup): Promise<GroupOutcome>;
  wallMs(): number;
}

export type GroupOutcome =
  | { readonly kind: 'ok' }
  /** `head`: as it is now, where it is known. */
  | {
      readonly kind: 'conflict' | 'fenced' | 'failed' | 'unknown';
      readonly head: LogHead | null;
    };

interface Waiting {
  readonly request: AppendRequest;
  readonly sizeBytes: number;
  readonly answer: (outcome: AppendOutcome) => void;
}

/** A group's bytes; above it the rest waits for the next one. */
const groupBytesMax = 1024 * 1024;
/** Appends that may wait; a leader that is ahead by more has lost touch with its log. */
const waitingMax = 4_096;

export class GroupedAppends {
  readonly #writer: GroupWriter;
  #head: LogHead;
  /** The end of all that is under way. */
  #end: LogHead;
  #waiting: Waiting[] = [];
  #isWriting = false;
  /** Work that must not meet a write; done before the next group. */
  readonly #between: (() => Promise<void>)[] = [];

  constructor(writer: GroupWriter, head: LogHead) {
    this.#writer = writer;
    this.#head = head;
    this.#end = head;
  }

  /** What is durable. */
  get head(): LogHead {
    return this.#head;
  }

  /** Others have appended: nothing of ours is under way then, or it will conflict. */
  learn(head: LogHead): void {
    if (head.position < this.#head.position || head.term < this.#head.term) return;
    this.#head = head;
    if (!this.#isWriting && this.#waiting.length === 0) this.#end = head;
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    const sizeBytes = new TextEncoder().encode(JSON.stringify(request.events)).length;
    if (sizeBytes > appendBytesMax) throw tooLargeError(sizeBytes);
    const { after, term } = request;
    if (term < this.#end.term || after !== this.#end.position) return this.#refuse(request);
    if (this.#waiting.length >= waitingMax) return Promise.resolve({ kind: 'failed' });
    this.#end = { position: after + request.events.length, term };
    return new Promise((answer) => {
      this.#waiting.push({ request, sizeBytes, answer });
      void this.#pump();
    });
  }

  /** By what is durable: what is under way may come to nothing, and who is refused reads and tries again. */
  async #refuse({ term }: AppendRequest): Promise<AppendOutcome> {
    if (this.#isWriting) await this.whenIdle(async () => undefined);
    const newest = this.#head.term;
    return term < newest ? { kind: 'fenced', term: newest } : { kind: 'conflict' };
  }

  /** Does something while no group is being written. */
  whenIdle<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#between.push(() => work().then(resolve, reject));
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#between.length > 0 || this.#waiting.length > 0) {
      // Those of now: who asks again at once must not keep a group from being written.
      for (const work of this.#between.splice(0)) await work();
      if (this.#waiting.length > 0) await this.#writeGroup(this.#takeGroup());
    }
    this.#isWriting = false;
  }

  /** As many as fit, of one term. */
  #takeGroup(): readonly Waiting[] {
    let sizeBytes = 0;
    const term = this.#waiting[0]?.request.term;
    const past = this.#waiting.findIndex(({ request, sizeBytes: more }, index) => {
      sizeBytes += more;
      return request.term !== term || (index > 0 && sizeBytes > groupBytesMax);
    });
    return this.#waiting.splice(0, past < 0 ? this.#waiting.length : past);
  }

  async #writeGroup(members: readonly Waiting[]): Promise<void> {
    const { after, term } = members[0]?.request ?? { after: 0, term: 0 };
    const events = members.flatMap(({ request }) => request.events);
    const group: LogGroup = { after, term, atMs: this.#writer.wallMs(), events };
    const outcome = await this.#writer.write(group);
    if (outcome.kind === 'ok') {
      this.#head = { position: after + events.length, term };
      for (const { request, answer } of members) {
        answer({ kind: 'ok', position: request.after + request.events.length });
      }
      return;
    }
    const behind = this.#waiting.splice(0);
    if (outcome.head !== null) this.#head = outcome.head;
    this.#end = this.#head;
    const { kind } = outcome;
    const answered = kind === 'fenced' ? { kind, term: this.#head.term } : { kind };
    for (const { answer } of members) answer(answered);
    for (const { answer } of behind) answer({ kind: 'failed' });
  }
}

/** The entries that a group comes to. */
export function entriesOf({ after, term, atMs, events }: LogGroup): LogEntry[] {
  return events.map((event, index) => ({ position: after + index + 1, term, atMs, event }));
}

function tooLargeError(sizeBytes: number) {
  const message = `events of ${sizeBytes} bytes are too large for the metadata log`;
  return typedError('METADATA_APPEND_TOO_LARGE', message, {
    hint: `At most ${appendBytesMax} fit. Give the job smaller parameters; put large data into files.`,
    details: { sizeBytes },
  });
}
