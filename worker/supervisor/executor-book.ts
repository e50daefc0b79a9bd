/**
 * Which executors a worker runs, as a pure state machine for each: started once, whatever is asked how often.
 *
 *     absent ──start──▶ preparing ──prepared──▶ running ──ended──▶ ended ──taken──▶ gone
 *        │                 │ stop                  │ stop             the coordinator is told until it has taken it
 *        │ stop            ▼                       ▼
 *        └──────────────▶ gone ◀──────ended───── ending
 *
 * Calls may come twice, late and in another order: a start that comes behind its stop, or behind the end of what it has
 * started, starts nothing. When the worker's life ends all processes are killed, and nobody is told, for the coordinator has
 * given up on all of them.
 *
 * Before: worker/supervisor/supervisor.ts.
 */
import { assertNever } from '../../base/assert.ts';
import type { WireError } from '../../base/typed-error.ts';

export type ExecutorState =
  /** Its bundle is being fetched. */
  | { readonly kind: 'preparing' }
  | { readonly kind: 'running' }
  /** Was told to end. */
  | { readonly kind: 'ending' }
  | { readonly kind: 'ended'; readonly error: WireError }
  | { readonly kind: 'gone'; readonly untilMs: number };

/** By executor id. */
export type ExecutorBook = ReadonlyMap<string, ExecutorState>;

export type ExecutorEvent = { readonly nowMs: number } & (
  | { readonly kind: 'start' | 'prepared' | 'stop' | 'taken'; readonly executorId: string }
  /** By itself, before or after it ran. */
  | { readonly kind: 'ended'; readonly executorId: string; readonly error: WireError }
  /** Nothing of this worker may run any more. */
  | { readonly kind: 'lifeEnded' }
);

export type ExecutorEffect =
  | { readonly kind: 'prepare' | 'launch'; readonly executorId: string }
  /** `asked`: may clean up, for a while; `now`: may not run on. */
  | { readonly kind: 'kill'; readonly executorId: string; readonly how: 'asked' | 'now' }
  | { readonly kind: 'tell'; readonly executorId: string; readonly error: WireError };

export interface ExecutorStep {
  readonly book: ExecutorBook;
  readonly effects: readonly ExecutorEffect[];
}

/** No call is under way for so long: each has a deadline of seconds. */
export const rememberMs = 600_000;

export const emptyBook: ExecutorBook = new Map();

/** Those that have a process, or are about to. */
export function runningIds(book: ExecutorBook): string[] {
  const isRunning = ({ kind }: ExecutorState) => kind === 'preparing' || kind === 'running';
  return [...book].filter(([, state]) => isRunning(state)).map(([executorId]) => executorId);
}

export function stepExecutors(before: ExecutorBook, event: ExecutorEvent): ExecutorStep {
  const book = withoutForgotten(before, event.nowMs);
  if (event.kind === 'lifeEnded') return endAll(book, event.nowMs);
  const { executorId, nowMs } = event;
  const state = book.get(executorId);
  const become = (next: ExecutorState, ...effects: ExecutorEffect[]): ExecutorStep => {
    return { book: new Map(book).set(executorId, next), effects };
  };
  const gone: ExecutorState = { kind: 'gone', untilMs: nowMs + rememberMs };
  switch (event.kind) {
    case 'start':
      if (state !== undefined) return { book, effects: [] };
      return become({ kind: 'preparing' }, { kind: 'prepare', executorId });
    case 'prepared':
      if (state?.kind !== 'preparing') return { book, effects: [] };
      return become({ kind: 'running' }, { kind: 'launch', executorId });
    case 'stop':
      if (state?.kind === 'ending') return { book, effects: [] };
      if (state?.kind !== 'running') return become(gone);
      return become({ kind: 'ending' }, { kind: 'kill', executorId, how: 'asked' });
    case 'ended': {
      if (state?.kind === 'ending') return become(gone);
      if (state?.kind !== 'running' && state?.kind !== 'preparing') return { book, effects: [] };
      const { error } = event;
      return become({ kind: 'ended', error }, { kind: 'tell', executorId, error });
    }
    case 'taken':
      return state?.kind === 'ended' ? become(gone) : { book, effects: [] };
    default:
      return assertNever(event);
  }
}

function endAll(before: ExecutorBook, nowMs: number): ExecutorStep {
  const book = new Map(before);
  const effects: ExecutorEffect[] = [];
  for (const [executorId, { kind }] of before) {
    if (kind === 'gone') continue;
    const hasProcess = kind === 'running' || kind === 'ending';
    if (hasProcess) {
      book.set(executorId, { kind: 'ending' });
      effects.push({ kind: 'kill', executorId, how: 'now' });
    } else book.set(executorId, { kind: 'gone', untilMs: nowMs + rememberMs });
  }
  return { book, effects };
}

function withoutForgotten(book: ExecutorBook, nowMs: number): ExecutorBook {
  const isOld = (state: ExecutorState) => state.kind === 'gone' && nowMs >= state.untilMs;
  if (![...book.values()].some(isOld)) return book;
  return new Map([...book].filter(([, state]) => !isOld(state)));
}
