/**
 * Lookup requests: questions to a user's function that answers later, each key asked once at a time, and
 * answers that are remembered for a while.
 *
 *     ask ─▶ remembered ───────────────────────────────────▶ answered
 *        └─▶ under way (one for all that ask) ─▶ answered, failed or too slow
 *                 ▲                                             └─ again later, or the failure ends the job
 *
 * Answers come between two calls of the operator, whenever the thread lets promises go on; `onAnswer` then makes
 * the task run. Nothing here waits.
 *
 * Invariants:
 * - At most `capacity` questions are under way.
 * - The answer to an attempt that was given up as too slow changes nothing.
 * After: engine/operators/lookup/lookup-operator.ts
 */
import { typedError } from '../../../base/typed-error.ts';
import { userFunctionFailed } from '../../compile/user-error.ts';
import type { LookupSpec } from '../../plan/lookup-spec.ts';

/** What was found: values by the names of fields; null: nothing. */
export type FoundRow = Readonly<Record<string, unknown>> | null;

/** May answer at once, or later. */
export type Lookup = (key: unknown) => FoundRow | Promise<FoundRow>;

/** One key's answer, for all rows that wait for it. */
export interface LookupEntry {
  readonly key: unknown;
  isAnswered: boolean;
  row: FoundRow;
  expiresAtMs: number;
}

export interface LookupRequestsOptions {
  readonly operator: string;
  readonly spec: LookupSpec;
  readonly lookup: Lookup;
  readonly nowMs: () => number;
  readonly onAnswer: () => void;
}

interface UnderWay {
  readonly entry: LookupEntry;
  /** From 1 on. */
  attempt: number;
  /** When the attempt has taken too long, or the next one begins. */
  atMs: number;
  isWaiting: boolean;
}

export class LookupRequests {
  readonly #options: LookupRequestsOptions;
  readonly #underWay = new Map<string, UnderWay>();
  /** The one that was asked for longest ago comes first. */
  readonly #remembered = new Map<string, LookupEntry>();
  #failure: unknown = null;
  #isClosed = false;

  constructor(options: LookupRequestsOptions) {
    this.#options = options;
  }

  /** Whether no other key can be asked for now. */
  get isFull(): boolean {
    return this.#underWay.size >= this.#options.spec.capacity;
  }

  /** When `turn` has something to do. */
  get wakeAtMs(): number {
    if (this.#failure !== null) return 0;
    let earliest = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#underWay.values()) earliest = Math.min(earliest, atMs);
    return earliest;
  }

  /** The answer for a key, now or later; null when too many are under way. */
  ask(key: unknown): LookupEntry | null {
    const text = textOf(key);
    const known = this.#underWay.get(text)?.entry ?? this.#recall(text);
    if (known !== null) return known;
    if (this.isFull) return null;
    const entry: LookupEntry = { key, isAnswered: false, row: null, expiresAtMs: 0 };
    const request = { entry, attempt: 0, atMs: 0, isWaiting: false };
    this.#underWay.set(text, request);
    this.#begin(text, request);
    return entry;
  }

  /** Begins attempts that are due, and gives up those that are too slow. @throws What a question failed with in the end. */
  turn(): void {
    if (this.#failure !== null) throw this.#failure;
    const nowMs = this.#options.nowMs();
    for (const [text, request] of this.#underWay) {
      if (request.atMs > nowMs) continue;
      if (request.isWaiting) this.#begin(text, request);
      else this.#failed(text, request, this.#tooSlow(request));
    }
    if (this.#failure !== null) throw this.#failure;
  }

  /** Answers that are still to come change nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#underWay.clear();
    this.#remembered.clear();
  }

  #recall(text: string): LookupEntry | null {
    const entry = this.#remembered.get(text);
    if (entry === undefined) return null;
    this.#remembered.delete(text);
    if (entry.expiresAtMs <= this.#options.nowMs()) return null;
    this.#remembered.set(text, entry);
    return entry;
  }

  #begin(text: string, request: UnderWay): void {
    const { lookup, nowMs, spec, onAnswer } = this.#options;
    const attempt = ++request.attempt;
    request.isWaiting = false;
    request.atMs = nowMs() + spec.timeoutMs;
    const isWanted = () => !this.#isClosed && request.attempt === attempt && !request.isWaiting;
    const settle = (work: () => void) => {
      if (!isWanted() || request.entry.isAnswered) return;
      work();
      onAnswer();
    };
    try {
      const answer = lookup(request.entry.key);
      if (!isPromise(answer)) {
        this.#answered(text, request.entry, answer);
        return;
      }
      answer.then(
        (row) => settle(() => this.#answered(text, request.entry, row)),
        (error) => settle(() => this.#failed(text, request, error)),
      );
    } catch (error) {
      this.#failed(text, request, error);
    }
  }

  #answered(text: string, entry: LookupEntry, row: FoundRow): void {
    const { entriesMax, ttlMs, missingTtlMs, jitter } = this.#options.spec.cache;
    entry.row = row ?? null;
    entry.isAnswered = true;
    this.#underWay.delete(text);
    if (entriesMax === 0) return;
    const lifeMs = entry.row === null ? missingTtlMs : ttlMs;
    entry.expiresAtMs = this.#options.nowMs() + lifeMs * (1 - jitter * fractionOf(text));
    this.#remembered.set(text, entry);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= entriesMax) break;
      this.#remembered.delete(oldest);
    }
  }

  #failed(text: string, request: UnderWay, error: unknown): void {
    const { spec, operator, nowMs } = this.#options;
    if (request.attempt < spec.attemptsMax) {
      request.isWaiting = true;
      request.atMs = nowMs() + spec.retryDelayMs * 2 ** (request.attempt - 1);
      return;
    }
    this.#underWay.delete(text);
    const name = { operator, function: 'lookup' };
    this.#failure ??= userFunctionFailed(name, error, { key: request.entry.key });
  }

  #tooSlow({ entry, attempt }: UnderWay): Error {
    const { operator, spec } = this.#options;
    const message = `the lookup of operator "${operator}" has not answered for ${spec.timeoutMs} ms, attempt ${attempt}`;
    return typedError('LOOKUP_TIMEOUT', message, {
      hint: 'See whether the service that it asks is there; give it more timeoutMs or more attempts, or ask it less at once with a smaller capacity.',
      details: { operator, key: String(entry.key), attempt },
    });
  }
}

function isPromise(answer: unknown): answer is Promise<FoundRow> {
  return typeof answer === 'object' && answer !== null && 'then' in answer;
}

/** Tells keys of one column apart. */
function textOf(key: unknown): string {
  return key instanceof Uint8Array || typeof key === 'object' ? JSON.stringify(key) : String(key);
}

/** A number from 0 to 1 that depends on the text: FNV-1a. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}
