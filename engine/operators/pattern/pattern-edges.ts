/**
 * Pattern edges: where a partial match may go on, for each stage that its last row is of. A nondeterministic finite
 * automaton, whose states are stages and counts.
 *
 *     a  b?  not c  d        behind a: an edge to b, one to d that passes over "not c"; behind b: one to d
 *
 * An edge is known by the bit of the stage that it leads to; the loop of a stage by the bit of its own.
 * @see Agrawal and others 2008, Efficient Pattern Matching over Event Streams
 */
import type { Contiguity, PatternSpec, PatternStage } from '../../plan/pattern-spec.ts';

export interface PatternEdge {
  readonly target: number;
  readonly bit: number;
  readonly contiguity: Contiguity;
  /** Stages of rows that must not come right after, or anywhere in between. */
  readonly notNext: readonly number[];
  readonly notBetween: readonly number[];
}

export interface PatternNode {
  readonly min: number;
  readonly max: number;
  readonly isGreedy: boolean;
  readonly isConsecutive: boolean;
  /** The bit of one more row of the same stage; 0 where there may be no more. */
  readonly loopBit: number;
  readonly edges: readonly PatternEdge[];
  readonly edgeBits: number;
  /** Bits of all stages that a row may be asked for. */
  readonly askedBits: number;
  /** Bits of edges that pass no row over. */
  readonly strictBits: number;
  /** Whether nothing more has to come. */
  readonly isEnd: boolean;
  /** The stage of rows that must not come until the time is over, for the match to be one; -1 for none. */
  readonly endsWithout: number;
}

export interface PatternGraph {
  readonly start: PatternNode;
  /** By stage; of those of rows. */
  readonly nodes: readonly PatternNode[];
}

/** Set until the row right after the last one of a partial match has come. */
export const freshBit = 1 << 29;
/** Set while the match is one unless a row comes that must not. */
export const endBit = 1 << 30;

export function patternGraphOf({ stages }: PatternSpec): PatternGraph {
  const start = { min: 0, max: 0, isGreedy: false, isConsecutive: false, loopBit: 0 };
  return {
    start: { ...start, ...edgesBehind(stages, -1) },
    nodes: stages.map((stage, index): PatternNode => {
      const max = stage.max ?? Number.POSITIVE_INFINITY;
      const { min, isGreedy, isConsecutive } = stage;
      const loopBit = max > 1 ? 1 << index : 0;
      const own = { min, max, isGreedy, isConsecutive, loopBit };
      const behind = edgesBehind(stages, index);
      const askedBits = behind.askedBits | loopBit;
      const strictBits = behind.strictBits | (isConsecutive ? loopBit : 0);
      return { ...own, ...behind, askedBits, strictBits };
    }),
  };
}

function edgesBehind(stages: readonly PatternStage[], from: number) {
  const edges: PatternEdge[] = [];
  const notNext: number[] = [];
  const notBetween: number[] = [];
  let mayEnd = true;
  for (let target = from + 1; target < stages.length; target++) {
    const stage = stages[target];
    if (stage === undefined) break;
    if (stage.kind === 'notNext') notNext.push(target);
    else if (stage.kind === 'notFollowedBy') notBetween.push(target);
    else {
      const nots = { notNext: [...notNext], notBetween: [...notBetween] };
      edges.push({ target, bit: 1 << target, contiguity: stage.contiguity, ...nots });
      if (stage.isOptional) continue;
      mayEnd = false;
      break;
    }
  }
  const last = stages.length - 1;
  const endsWithout = mayEnd && stages[last]?.kind === 'notFollowedBy' ? last : -1;
  const strict = edges.filter(({ contiguity }) => contiguity === 'next');
  const nots = edges.flatMap((edge) => [...edge.notNext, ...edge.notBetween]);
  const ends = endsWithout < 0 ? nots : [...nots, endsWithout];
  const edgeBits = bitsOf(edges);
  const askedBits = ends.reduce((bits, stage) => bits | (1 << stage), edgeBits);
  const isEnd = mayEnd && endsWithout < 0 && from >= 0;
  return { edges, edgeBits, askedBits, strictBits: bitsOf(strict), endsWithout, isEnd };
}

function bitsOf(edges: readonly PatternEdge[]): number {
  return edges.reduce((bits, { bit }) => bits | bit, 0);
}
