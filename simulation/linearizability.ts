/**
 * Whether a history of operations is linearizable: whether each of them can have happened at one moment between
 * its call and its return, so that all answers are what one sequence of them gives.
 *
 *     append 1   ├────────┤                 one order that fits: append 1, read, append 2
 *     append 2        ├───────────┤
 *     read            ├──┤ → [1]
 *
 * An operation whose outcome nobody knows never returns: it may have happened at any time after its call, or not at all.
 *
 * The search takes one operation after the other that was called before all open ones returned, and goes back
 * where none fits. What was seen already, the same operations taken and the same state, is not looked at again.
 * @see Wing and Gong 1993, "Testing and verifying concurrent objects"; Lowe 2017, "Testing for linearizability";
 * Porcupine, which has the same search.
 */

export interface Operation<I, O> {
  readonly input: I;
  /** Null where the outcome is not known. */
  readonly output: O | null;
  readonly calledAtMs: number;
  /** Infinity where the outcome is not known. */
  readonly returnedAtMs: number;
}

export interface HistoryModel<S, I, O> {
  readonly initial: S;
  /**
   * The state after an operation that answered so; null where it can't have. One whose outcome is not known is
   * asked for only where it changes something, and null says that it would not.
   */
  step(state: S, input: I, output: O | null): S | null;
  /** True for one that never changes the state: where it fits, there is no reason to take it later. */
  changesNothing(input: I, output: O | null): boolean;
  /** The same text for equal states. */
  keyOf(state: S): string;
}

export interface LinearizabilityVerdict {
  readonly isLinearizable: boolean;
  /** Where it is not: how many operations could be put in an order at most, and the first that did not fit. */
  readonly longest: number;
  readonly stuckAt: number;
}

interface Place {
  readonly operation: number;
  readonly isCall: boolean;
  previous: Place | null;
  next: Place | null;
}

interface Taken<S> {
  readonly place: Place;
  readonly state: S;
}

/** Operations of a history above which the search may take minutes. */
const operationsMax = 10_000;

export function checkLinearizable<S, I, O>(
  history: readonly Operation<I, O>[],
  model: HistoryModel<S, I, O>,
): LinearizabilityVerdict {
  if (history.length > operationsMax) throw new RangeError('the history is too long to be checked');
  return new Search(history, model).run();
}

class Search<S, I, O> {
  readonly #history: readonly Operation<I, O>[];
  readonly #model: HistoryModel<S, I, O>;
  readonly #head: Place;
  readonly #returns: readonly Place[];
  readonly #seen = new Set<string>();
  readonly #taken: Taken<S>[] = [];
  /** After those that are taken, and which they are: a bit each. */
  #state: S;
  #mask = 0n;
  /** Operations that have returned and are not taken yet. */
  #openCount: number;
  #longest = 0;
  #stuckAt = -1;

  constructor(history: readonly Operation<I, O>[], model: HistoryModel<S, I, O>) {
    this.#history = history;
    this.#model = model;
    this.#state = model.initial;
    const { head, returns } = placesOf(history);
    this.#head = head;
    this.#returns = returns;
    this.#openCount = history.filter(({ returnedAtMs }) => returnedAtMs < Infinity).length;
  }

  run(): LinearizabilityVerdict {
    let place = this.#head.next;
    while (this.#openCount > 0) {
      if (place?.isCall) place = this.#take(place) ? this.#head.next : place.next;
      else {
        // One has returned that this order has no room for: another choice before it.
        this.#note(place);
        const last = this.#undoChange();
        if (last === null) break;
        place = last.next;
      }
    }
    const isLinearizable = this.#openCount === 0;
    if (isLinearizable) return { isLinearizable, longest: this.#taken.length, stuckAt: -1 };
    return { isLinearizable, longest: this.#longest, stuckAt: this.#stuckAt };
  }

  /** Puts an operation next in the order; false where it can't be, or that was looked at already. */
  #take(place: Place): boolean {
    const { input, output, returnedAtMs } = this.#history[place.operation] as Operation<I, O>;
    const next = this.#model.step(this.#state, input, output);
    if (next === null) return false;
    const mask = this.#mask | (1n << BigInt(place.operation));
    const key = `${mask.toString(16)} ${this.#model.keyOf(next)}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    this.#taken.push({ place, state: this.#state });
    this.#state = next;
    this.#mask = mask;
    if (returnedAtMs < Infinity) this.#openCount--;
    unlink(place);
    unlink(this.#returns[place.operation] as Place);
    return true;
  }

  /** Takes the last ones out again, to the last that could have come later. */
  #undoChange(): Place | null {
    for (;;) {
      const last = this.#undo();
      if (last === null) return null;
      const { input, output } = this.#history[last.operation] as Operation<I, O>;
      if (!this.#model.changesNothing(input, output)) return last;
    }
  }

  /** Takes the last one out of the order again; null where there is none. */
  #undo(): Place | null {
    const last = this.#taken.pop();
    if (last === undefined) return null;
    const { place, state } = last;
    link(this.#returns[place.operation] as Place);
    link(place);
    this.#state = state;
    this.#mask &= ~(1n << BigInt(place.operation));
    if ((this.#history[place.operation]?.returnedAtMs ?? 0) < Infinity) this.#openCount++;
    return place;
  }

  #note(stuck: Place | null): void {
    if (this.#taken.length <= this.#longest && this.#stuckAt >= 0) return;
    this.#longest = this.#taken.length;
    this.#stuckAt = stuck?.operation ?? -1;
  }
}

/** Calls and returns in the order of time, as a list that operations are taken out of and put back into. */
function placesOf<I, O>(history: readonly Operation<I, O>[]) {
  const moments = history.flatMap(({ calledAtMs, returnedAtMs }, operation) => [
    { atMs: calledAtMs, isCall: true, operation },
    { atMs: returnedAtMs, isCall: false, operation },
  ]);
  // At one moment calls come first: who is called as another returns may still have been beside it.
  moments.sort((one, other) => one.atMs - other.atMs || Number(other.isCall) - Number(one.isCall));
  const head: Place = { operation: -1, isCall: true, previous: null, next: null };
  const returns: Place[] = [];
  let last = head;
  for (const { isCall, operation } of moments) {
    const place: Place = { operation, isCall, previous: last, next: null };
    if (!isCall) returns[operation] = place;
    last.next = place;
    last = place;
  }
  return { head, returns };
}

function unlink(place: Place): void {
  if (place.previous !== null) place.previous.next = place.next;
  if (place.next !== null) place.next.previous = place.previous;
}

function link(place: Place): void {
  if (place.previous !== null) place.previous.next = place;
  if (place.next !== null) place.next.previous = place;
}
