/**
 * Pattern specs: sequences of rows of a key, as plain data. The conditions are beside it: expressions, which become
 * columns of the operator's input, and functions of the user.
 *
 *     small ─next─▶ large                      the row right after
 *     small ─followedBy─▶ large                the next one that is large; others in between are passed over
 *     small ─followedByAny─▶ large             any later one that is large
 *     small ─notFollowedBy ok─followedBy─▶ large   and none in between that is ok
 *
 * After: engine/operators/pattern/pattern-edges.ts. @see docs/design/023-patterns.md
 */

/** How the first row of a stage comes behind the last one of the stage before. */
export type Contiguity = 'next' | 'followedBy' | 'followedByAny';

export interface PatternStage {
  readonly name: string;
  /** `rows` are matched; the others say which rows must not come there. */
  readonly kind: 'rows' | 'notNext' | 'notFollowedBy';
  readonly contiguity: Contiguity;
  /** Whether a match may do without the stage. */
  readonly isOptional: boolean;
  /** How many rows it has otherwise: from `min`, 1 or more, to `max`; null for any number. */
  readonly min: number;
  readonly max: number | null;
  /** Whether the rows of the stage follow each other without others in between. */
  readonly isConsecutive: boolean;
  /** Whether a row that can be one more of the stage is no row of a later one. */
  readonly isGreedy: boolean;
  /** Whether a function of the user has a say as well. */
  readonly hasTest: boolean;
}

/** Where matching goes on after a match; what began before is dropped. `stage` is an index. */
export type AfterMatch =
  | { readonly kind: 'noSkip' | 'toNext' | 'pastLast' }
  | { readonly kind: 'toFirst' | 'toLast'; readonly stage: number };

export interface PatternSpec {
  readonly stages: readonly PatternStage[];
  /** The last row is at most so long after the first one; null for any time. */
  readonly withinMs: number | null;
  readonly after: AfterMatch;
  /** Whether a function of the user makes rows of what was not completed in time. */
  readonly hasTimedOut: boolean;
}

/** Stages that a pattern may have: one bit of a word each, and two more. */
export const patternStagesMax = 28;

/** `small next large within 60000 ms, then past last`. */
export function patternText({ stages, withinMs, after, hasTimedOut }: PatternSpec): string {
  const parts = stages.map((stage, at) => {
    if (stage.kind !== 'rows') return `${stage.kind} ${stage.name}`;
    return `${at === 0 ? '' : `${stage.contiguity} `}${stage.name}${countText(stage)}`;
  });
  const within = withinMs === null ? '' : ` within ${withinMs} ms`;
  const skip = after.kind === 'noSkip' ? '' : `, then ${afterText(after, stages)}`;
  return `${parts.join(' ')}${within}${skip}${hasTimedOut ? ', timed out as well' : ''}`;
}

function countText(stage: PatternStage): string {
  const { min, max, isOptional, isGreedy, isConsecutive, hasTest } = stage;
  const count = min === 1 && max === 1 ? '' : `{${min},${max ?? ''}}`;
  const marks = [
    isOptional ? '?' : '',
    isConsecutive ? ' consecutive' : '',
    isGreedy ? ' greedy' : '',
  ];
  return `${count}${marks.join('')}${hasTest ? ' by function' : ''}`;
}

function afterText(after: AfterMatch, stages: readonly PatternStage[]): string {
  switch (after.kind) {
    case 'noSkip':
      return 'no skip';
    case 'toNext':
      return 'to next';
    case 'pastLast':
      return 'past last';
    default:
      return `${after.kind === 'toFirst' ? 'to first' : 'to last'} ${stages[after.stage]?.name}`;
  }
}
