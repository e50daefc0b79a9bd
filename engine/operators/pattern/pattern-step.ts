/**
 * Pattern step: what a row makes of the partial matches of its key. Pure: no state but what it is given.
 *
 *     partial match ─┬─ row is one more of its stage, or the first of a later one ──▶ a longer one each, maybe complete
 *                    └─ row is passed over ──▶ itself, with the edges that may pass it over
 *
 * An edge that may pass rows over (`followedBy`) passes none over that it could take, unless it may choose
 * (`followedByAny`). Row and partial match are asked for a stage's condition once.
 */
import {
  endBit,
  freshBit,
  type PatternEdge,
  type PatternGraph,
  type PatternNode,
} from './pattern-edges.ts';

export interface PartialMatch {
  /** Of the last row, and how many rows of that stage there are. */
  readonly stage: number;
  readonly count: number;
  /** Bits of edges that it may still take. */
  readonly live: number;
  /** The time of the first row. */
  readonly firstMs: number;
  /** Rows by number, ascending, and the stage of each. */
  readonly rows: readonly number[];
  readonly stages: readonly number[];
}

export interface SteppingRow {
  readonly number: number;
  readonly timeMs: number;
  /** Bits of the stages that the row is one of, but for what functions say. */
  readonly mayBe: number;
  /** Whether the row is one of a stage that it may be of, to a partial match. */
  isOf(stage: number, partial: PartialMatch): boolean;
}

export interface StepResult {
  /** What may still become longer, in the order of first rows. */
  readonly partials: PartialMatch[];
  readonly matches: PartialMatch[];
  /** Whether the row is part of any of these. */
  readonly isTaken: boolean;
}

const nothing: PartialMatch = {
  ...{ stage: -1, count: 0, live: 0, firstMs: 0, rows: [], stages: [] },
};

export function stepPattern(
  graph: PatternGraph,
  before: readonly PartialMatch[],
  row: SteppingRow,
): StepResult {
  const partials: PartialMatch[] = [];
  const matches: PartialMatch[] = [];
  let isTaken = false;
  const take = (from: PartialMatch, stage: number, count: number) => {
    const node = nodeOf(graph, stage);
    const longer = longerBy(from, row, stage, count, liveOf(node, count));
    isTaken = true;
    if (longer.live !== freshBit) partials.push(longer);
    if (node.isEnd && count >= node.min) matches.push(longer);
  };
  for (const partial of before) {
    const node = nodeOf(graph, partial.stage);
    // Most rows are nothing to most partial matches.
    const isNothing = (row.mayBe & node.askedBits) === 0;
    const live = isNothing
      ? partial.live & ~(node.strictBits | freshBit)
      : stepOne(node, partial, row, take);
    if (live === partial.live) partials.push(partial);
    else if (live !== 0) partials.push({ ...partial, live });
  }
  stepOne(graph.start, { ...nothing, live: graph.start.edgeBits }, row, take);
  return { partials, matches: matches.sort(byRows), isTaken };
}

/** Takes the row along all edges that can; answers the edges that are left to a partial match that passes it over. */
function stepOne(
  node: PatternNode,
  partial: PartialMatch,
  row: SteppingRow,
  take: (from: PartialMatch, stage: number, count: number) => void,
): number {
  const { stage, count } = partial;
  const known = new Map<number, boolean>();
  const isOf = (one: number) => {
    if ((row.mayBe & (1 << one)) === 0) return false;
    const found = known.get(one) ?? row.isOf(one, partial);
    known.set(one, found);
    return found;
  };
  let live = partial.live;
  const isFresh = (live & freshBit) !== 0;
  const loops = (live & node.loopBit) !== 0 && isOf(stage);
  if (loops) take(partial, stage, count + 1);
  if (loops && node.isGreedy) return 0;
  if (loops || node.isConsecutive) live &= ~node.loopBit;
  for (const edge of node.edges) {
    if ((live & edge.bit) === 0) continue;
    const isForbidden = isFresh && edge.notNext.some(isOf);
    const isTaken = !isForbidden && isOf(edge.target);
    if (isTaken) take(partial, edge.target, 1);
    if (isForbidden || !passesOver(edge, isTaken, isOf)) live &= ~edge.bit;
  }
  if ((live & endBit) !== 0 && isOf(node.endsWithout)) live &= ~endBit;
  return live & ~freshBit;
}

/** Whether an edge is left when the row is passed over. */
function passesOver(
  { contiguity, notBetween }: PatternEdge,
  isTaken: boolean,
  isOf: (stage: number) => boolean,
): boolean {
  const may = contiguity === 'followedByAny' || (contiguity === 'followedBy' && !isTaken);
  return may && !notBetween.some(isOf);
}

function nodeOf(graph: PatternGraph, stage: number): PatternNode {
  return graph.nodes[stage] ?? graph.start;
}

/** The edges of a partial match that has just got its last row. */
function liveOf(node: PatternNode, count: number): number {
  const loop = count < node.max ? node.loopBit : 0;
  if (count < node.min) return loop | freshBit;
  return loop | node.edgeBits | (node.endsWithout < 0 ? 0 : endBit) | freshBit;
}

function longerBy(
  from: PartialMatch,
  row: SteppingRow,
  stage: number,
  count: number,
  live: number,
): PartialMatch {
  const firstMs = from.rows.length === 0 ? row.timeMs : from.firstMs;
  const rows = [...from.rows, row.number];
  return { stage, count, live, firstMs, rows, stages: [...from.stages, stage] };
}

/** By their rows, then by the stages of these. */
export function byRows(a: PartialMatch, b: PartialMatch): number {
  return compareLists(a.rows, b.rows) || compareLists(a.stages, b.stages);
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
