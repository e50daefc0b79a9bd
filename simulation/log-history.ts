/**
 * Histories of a metadata log: what was asked of it, when, and what came of it; and the log as a model that the
 * checker (linearizability.ts) puts beside them: a list of events and the greatest term.
 *
 * What has surely failed is left out, and what was answered with `conflict` is taken at its word: neither may
 * change anything, and reads would show it if they did.
 */
import type { JsonValue } from '../base/rpc/message.ts';
import type {
  AppendOutcome,
  AppendRequest,
  LogPage,
} from '../coordinator/metadata/metadata-log.ts';
import { checkLinearizable, type HistoryModel, type Operation } from './linearizability.ts';

type Asked = { readonly kind: 'read' } | (AppendRequest & { readonly kind: 'append' });
type Answered = { readonly kind: 'events'; readonly list: number } | AppendOutcome;

interface LogState {
  /** Lists of events have numbers, see `EventLists`. */
  readonly list: number;
  readonly length: number;
  readonly term: number;
}

/** Each list of events that came up has a number, so that two of hundreds of events are compared by one look. */
class EventLists {
  readonly #numbers = new Map<string, number>();

  /** Of a list with events behind it; 0 is the empty one. */
  withEvents(list: number, events: readonly string[]): number {
    return events.reduce((before, event) => {
      const key = `${before} ${event}`;
      const known = this.#numbers.get(key) ?? this.#numbers.size + 1;
      this.#numbers.set(key, known);
      return known;
    }, list);
  }
}

function logModel(lists: EventLists): HistoryModel<LogState, Asked, Answered> {
  return {
    initial: { list: 0, length: 0, term: 0 },
    step(state, asked, answered) {
      if (asked.kind === 'read') {
        return answered?.kind === 'events' && answered.list === state.list ? state : null;
      }
      const { after, term, events } = asked;
      if (answered?.kind === 'conflict') return state;
      if (answered?.kind === 'fenced') return state.term > term ? state : null;
      const isRight = answered === null || answered.kind === 'ok';
      if (!isRight || after !== state.length || term < state.term) return null;
      const list = lists.withEvents(state.list, events.map(String));
      return { list, length: after + events.length, term };
    },
    changesNothing: (asked, answered) =>
      asked.kind === 'read' || answered?.kind === 'conflict' || answered?.kind === 'fenced',
    keyOf: ({ list, term }) => `${list} ${term}`,
  };
}

/** Takes down what is asked and answered, by true time. */
export class LogHistory {
  readonly #now: () => number;
  readonly #lists = new EventLists();
  readonly #operations: Operation<Asked, Answered>[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  get length(): number {
    return this.#operations.length;
  }

  /** An append, which may never come back. */
  async append(request: AppendRequest, ask: () => Promise<AppendOutcome>): Promise<AppendOutcome> {
    const place = this.#call({ kind: 'append', ...request });
    const outcome = await ask();
    if (outcome.kind === 'failed') this.#operations[place] = nothing(this.#now());
    else if (outcome.kind !== 'unknown') this.#return(place, outcome);
    return outcome;
  }

  /** A read of all; answers with the events. One that fails is left out. */
  async read(ask: () => Promise<LogPage>): Promise<readonly string[]> {
    const calledAtMs = this.#now();
    const events = eventsOf(await ask());
    const output: Answered = { kind: 'events', list: this.#lists.withEvents(0, events) };
    const times = { calledAtMs, returnedAtMs: this.#now() };
    this.#operations.push({ input: { kind: 'read' }, output, ...times });
    return events;
  }

  /** A sentence when it is not linearizable; null when it is. */
  judge(): string | null {
    const known = this.#operations.filter(({ input }) => input !== none);
    const { isLinearizable, longest, stuckAt } = checkLinearizable(known, logModel(this.#lists));
    if (isLinearizable) return null;
    const stuck = known[stuckAt];
    const what = JSON.stringify({ ...stuck, operations: known.length, inOrder: longest });
    return `no order of the operations explains the answers: ${what}`;
  }

  #call(input: Asked): number {
    const times = { calledAtMs: this.#now(), returnedAtMs: Number.POSITIVE_INFINITY };
    return this.#operations.push({ input, output: null, ...times }) - 1;
  }

  #return(place: number, output: Answered): void {
    const { input, calledAtMs } = this.#operations[place] as Operation<Asked, Answered>;
    this.#operations[place] = { input, output, calledAtMs, returnedAtMs: this.#now() };
  }
}

const none: Asked = { kind: 'append', after: -1, term: 0, events: [] };

function nothing(atMs: number): Operation<Asked, Answered> {
  return { input: none, output: null, calledAtMs: atMs, returnedAtMs: atMs };
}

/** All events of a log whose snapshots are lists of those before. */
function eventsOf({ snapshot, entries }: LogPage): string[] {
  const before = (snapshot?.state ?? []) as readonly JsonValue[];
  return [...before.map(String), ...entries.map(({ event }) => String(event))];
}
