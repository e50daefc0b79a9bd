/**
 * The rows that patterns match, by looking at all rows of a key at once: a match goes on at one of the rows that may
 * come next, all of which are tried. It has no automaton, no state and no order of arrival.
 */
import type { PatternSpec, PatternStage } from '../../../../engine/plan/pattern-spec.ts';

export interface ReferenceRow {
  readonly at: number;
  /** Which stages the row is one of, to what was matched before. */
  readonly isOf: (stage: number, rows: readonly number[]) => boolean;
}

export interface ReferenceMatch {
  /** Rows and their stages. */
  readonly rows: readonly number[];
  readonly stages: readonly number[];
  /** The row that completed it; of one that time completed, between rows. */
  readonly doneAt: number;
}

interface Place {
  readonly rows: readonly number[];
  readonly stages: readonly number[];
  readonly count: number;
}

/** The matches that count, in the order in which they are complete; rows are in the order of time. */
export function patternReference(
  spec: PatternSpec,
  rows: readonly ReferenceRow[],
): ReferenceMatch[] {
  const inOrder = new AllMatches(spec, rows).found.sort(
    (a, b) => a.doneAt - b.doneAt || byList(a.rows, b.rows) || byList(a.stages, b.stages),
  );
  const counted: ReferenceMatch[] = [];
  let place = -1;
  for (const match of inOrder) {
    const [first = 0] = match.rows;
    if (first < place) continue;
    counted.push(match);
    place = Math.max(place, placeBehind(spec, match));
  }
  return counted;
}

/** All matches, before any is skipped. */
class AllMatches {
  readonly found: ReferenceMatch[] = [];
  readonly #spec: PatternSpec;
  readonly #rows: readonly ReferenceRow[];

  constructor(spec: PatternSpec, rows: readonly ReferenceRow[]) {
    this.#spec = spec;
    this.#rows = rows;
    for (let first = 0; first < rows.length; first++) {
      for (const [stage, { isOptional }] of spec.stages.entries()) {
        const [only] = this.#candidates('next', stage, [], [first, first + 1]);
        if (only !== undefined) this.#goOn({ rows: [first], stages: [stage], count: 1 });
        if (!isOptional) break;
      }
    }
  }

  #goOn(place: Place): void {
    const { stages } = this.#spec;
    const [last, stage] = [place.rows.at(-1) ?? -1, place.stages.at(-1) ?? -1];
    const own = stages[stage] as PatternStage;
    const end = this.#endOf(place.rows[0] ?? 0);
    const how = own.isConsecutive ? 'next' : 'followedBy';
    const mayLoop = place.count < (own.max ?? Number.POSITIVE_INFINITY);
    const loops = mayLoop ? this.#candidates(how, stage, place.rows, [last + 1, end]) : [];
    for (const row of loops) this.#goOn(longer(place, row, stage, place.count + 1));
    if (place.count < own.min) return;
    // Of a greedy stage the row that is one more of it ends all else.
    const [loop = Number.POSITIVE_INFINITY] = own.isGreedy ? loops : [];
    const nots = this.#goToLater(place, Math.min(end, loop));
    if (nots === null) return;
    if (nots.length === 0) this.found.push({ ...place, doneAt: last });
    else if (loop === Number.POSITIVE_INFINITY && !this.#isKeptOut(nots, place, end)) {
      this.found.push({ ...place, doneAt: end - 0.5 });
    }
  }

  /** Goes to later stages; null when there must be one, else the stages of rows that must not come to the end. */
  #goToLater(place: Place, end: number): readonly number[] | null {
    const { stages } = this.#spec;
    const last = place.rows.at(-1) ?? -1;
    const nots: number[] = [];
    for (let target = (place.stages.at(-1) ?? -1) + 1; target < stages.length; target++) {
      const { kind, contiguity, isOptional } = stages[target] as PatternStage;
      if (kind !== 'rows') {
        nots.push(target);
        continue;
      }
      for (const row of this.#candidates(contiguity, target, place.rows, [last + 1, end])) {
        if (!this.#isKeptOut(nots, place, row)) this.#goOn(longer(place, row, target, 1));
      }
      if (!isOptional) return null;
    }
    return nots;
  }

  /** Rows from one on, before another, that a contiguity allows for a stage. */
  #candidates(
    how: string,
    stage: number,
    before: readonly number[],
    [from, end]: readonly [number, number],
  ): number[] {
    const range = Array.from({ length: Math.max(0, end - from) }, (_, at) => from + at);
    const isOf = (row: number) => this.#rows[row]?.isOf(stage, before) === true;
    if (how === 'next') return range.slice(0, 1).filter(isOf);
    const all = range.filter(isOf);
    return how === 'followedByAny' ? all : all.slice(0, 1);
  }

  /** Whether a row that must not be there is between the last row and another. */
  #isKeptOut(nots: readonly number[], { rows }: Place, row: number): boolean {
    const last = rows.at(-1) ?? -1;
    const isOf = (at: number, stage: number) => this.#rows[at]?.isOf(stage, rows) === true;
    return nots.some((stage) => {
      if (this.#spec.stages[stage]?.kind === 'notNext') return isOf(last + 1, stage);
      for (let at = last + 1; at < row; at++) if (isOf(at, stage)) return true;
      return false;
    });
  }

  /** The first row that is too late for a match that begins with another. */
  #endOf(first: number): number {
    const { withinMs } = this.#spec;
    if (withinMs === null) return this.#rows.length;
    const limit = (this.#rows[first]?.at ?? 0) + withinMs;
    return this.#rows.filter(({ at }) => at <= limit).length;
  }
}

function longer(place: Place, row: number, stage: number, count: number): Place {
  return { rows: [...place.rows, row], stages: [...place.stages, stage], count };
}

function placeBehind({ after }: PatternSpec, { rows, stages }: ReferenceMatch): number {
  const [first = 0] = rows;
  switch (after.kind) {
    case 'noSkip':
      return -1;
    case 'toNext':
      return first + 1;
    case 'pastLast':
      return (rows.at(-1) ?? 0) + 1;
    default: {
      const own = rows.filter((_, at) => stages[at] === after.stage);
      return (after.kind === 'toFirst' ? own[0] : own.at(-1)) ?? -1;
    }
  }
}

function byList(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((one, index) => one !== b[index]);
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
}
