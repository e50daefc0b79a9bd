/**
 * The coordinator's memory over a metadata log: its state now, and decisions that are made by that state.
 *
 *     decide(state) ─▶ events ─▶ append behind the position that was decided by ─▶ ok
 *                                    └─ conflict, unknown: read, decide again by what is there now
 *
 * Decisions may follow each other without waiting: each sees what those before it come to, though it is not
 * durable yet. What others see, and what `state` shows, is durable.
 * An unknown outcome is settled by doing it again: both tries are for one position, and one can be there.
 *
 * Before: coordinator/metadata/metadata-state.ts.
 */
import { type TypedError, typedError } from '../../base/typed-error.ts';
import { decodeEvent, encodeEvent, type MetadataEvent } from './metadata-event.ts';
import type { AppendOutcome, LogHead, LogPage, MetadataLog } from './metadata-log.ts';
import {
  applyEvent,
  emptyMetadata,
  type MetadataState,
  metadataSnapshot,
  restoreMetadata,
} from './metadata-state.ts';

export interface StoreOptions {
  /** Events behind a snapshot that make it worth another. @defaultValue 2,000 */
  readonly compactAfter?: number;
  /** Called after durable events have changed the state. */
  readonly onEvents?: (events: readonly MetadataEvent[]) => void;
  /** Called once, when others have written what this version can't read: nothing is decided any more. */
  readonly onBroken?: (error: unknown) => void;
  readonly wallMs: () => number;
}

/** What comes of a state, or null for nothing. */
export type Decision = (state: MetadataState) => readonly MetadataEvent[] | null;

interface Folded extends LogHead {
  readonly state: MetadataState;
}

/** Others that come in between; each time one of them has gone on. */
const triesMax = 100;

export class MetadataStore {
  readonly #log: MetadataLog;
  readonly #options: StoreOptions;
  readonly #stopWatch: () => void;
  #durable: Folded = { position: 0, term: 0, state: emptyMetadata };
  /** With what is under way. */
  #decided: Folded = this.#durable;
  #underWay = 0;
  #snapshotAt = 0;
  #broken: { readonly error: unknown } | null = null;

  private constructor(log: MetadataLog, options: StoreOptions) {
    this.#log = log;
    this.#options = options;
    this.#stopWatch = log.watch(0, (page) => this.#hear(page));
  }

  /** Rejects when the log can't be reached, or can't be read. */
  static async open(log: MetadataLog, options: StoreOptions): Promise<MetadataStore> {
    const store = new MetadataStore(log, options);
    await store.catchUp();
    return store;
  }

  /** What is durable. */
  get state(): MetadataState {
    return this.#durable.state;
  }

  get position(): number {
    return this.#durable.position;
  }

  /** Reads what others have appended. */
  async catchUp(): Promise<void> {
    this.#take(await this.#log.read(this.#durable.position));
  }

  /**
   * Appends what is decided; resolves with the events when they are durable, or with null where nothing was.
   * @throws METADATA_FENCED when another leader has a later term, METADATA_UNAVAILABLE, METADATA_VERSION
   */
  async propose(term: number, decide: Decision): Promise<readonly MetadataEvent[] | null> {
    for (let tries = 0; tries < triesMax; tries++) {
      if (this.#broken !== null) throw this.#broken.error;
      const before = this.#decided;
      const events = decide(before.state);
      if (events === null || events.length === 0) return null;
      const outcome = await this.#append(before, term, events);
      if (outcome.kind === 'ok') return events;
      if (outcome.kind === 'fenced') throw fencedError(term, outcome.term);
      await this.catchUp();
      if (outcome.kind === 'unknown' && (await this.#hasArrived(before, term, events)))
        return events;
    }
    throw unavailableError(triesMax);
  }

  close(): Promise<void> {
    this.#stopWatch();
    return this.#log.close();
  }

  async #append(
    before: Folded,
    term: number,
    events: readonly MetadataEvent[],
  ): Promise<AppendOutcome> {
    const atMs = this.#options.wallMs();
    const state = events.reduce((one, event) => applyEvent(one, event, atMs), before.state);
    const position = before.position + events.length;
    this.#decided = { position, term: Math.max(term, before.term), state };
    this.#underWay++;
    const stored = events.map(encodeEvent);
    const outcome = await this.#log
      .append({ after: before.position, term, events: stored })
      .finally(() => {
        this.#underWay--;
      });
    // What was decided behind a step that is not there is void with it.
    if (outcome.kind !== 'ok') this.#decided = this.#durable;
    else if (this.#underWay === 0) await this.#compactIfLong(term);
    return outcome;
  }

  /** Only one leader has a term, and one append of its own a position. */
  async #hasArrived(
    before: Folded,
    term: number,
    events: readonly MetadataEvent[],
  ): Promise<boolean> {
    const { entries } = await this.#log.read(before.position);
    const found = entries.slice(0, events.length);
    const wanted = JSON.stringify(events.map(encodeEvent));
    const isOurs = found.every((entry) => entry.term === term);
    return isOurs && JSON.stringify(found.map(({ event }) => event)) === wanted;
  }

  /** A log calls this from its own work, which must not end because a page can't be read. */
  #hear(page: LogPage): void {
    if (this.#broken !== null) return;
    try {
      this.#take(page);
    } catch (error) {
      this.#broken = { error };
      this.#options.onBroken?.(error);
    }
  }

  #take({ snapshot, entries }: LogPage): void {
    let folded = this.#durable;
    if (snapshot !== null && snapshot.position > folded.position) {
      const { position, term, state } = snapshot;
      folded = { position, term, state: restoreMetadata(state) };
      this.#snapshotAt = position;
    }
    const events: MetadataEvent[] = [];
    for (const { position, term, atMs, event } of entries) {
      if (position !== folded.position + 1) continue; // Known already; a gap is closed by the next read.
      const decoded = decodeEvent(event, position);
      events.push(decoded);
      folded = { position, term, state: applyEvent(folded.state, decoded, atMs) };
    }
    if (folded === this.#durable) return;
    this.#durable = folded;
    if (this.#decided.position <= folded.position) this.#decided = folded;
    this.#options.onEvents?.(events);
  }

  async #compactIfLong(term: number): Promise<void> {
    const { position, state } = this.#durable;
    if (position - this.#snapshotAt < (this.#options.compactAfter ?? 2_000)) return;
    this.#snapshotAt = position; // Whatever comes of it: the next try is as far away again.
    await this.#log.compact({ position, term, state: metadataSnapshot(state) });
  }
}

function fencedError(term: number, newer: number): TypedError {
  const message = `the coordinator of term ${term} was replaced by that of term ${newer}`;
  return typedError('METADATA_FENCED', message, {
    hint: 'Nothing was done. Ask the coordinator that leads now.',
    retryable: true,
    details: { term, newer },
  });
}

function unavailableError(tries: number): TypedError {
  return typedError('METADATA_UNAVAILABLE', `the metadata log took nothing in ${tries} tries`, {
    hint: 'Look whether its disk is full, or whether etcd answers.',
    retryable: true,
  });
}
