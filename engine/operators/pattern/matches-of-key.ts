/** The partial matches of a key that somebody asks for: where each stands, since when, and its rows. */
import type { Json } from '../../contracts/json.ts';
import type { PatternStage } from '../../plan/pattern-spec.ts';
import type { Field } from '../../schema/schema.ts';
import { enterKey } from '../key-state/process-state.ts';
import { shownTime, shownValue } from '../key-state/shown-value.ts';
import type { OperatorContext } from '../operator.ts';
import type { MatchState } from './match-state.ts';

export interface MatchesOfKeyOptions {
  readonly fields: readonly Field[];
  readonly matches: MatchState;
  readonly stages: readonly PatternStage[];
  readonly key: string;
}

/** `{ partialMatches: [{ behind, since, rows }] }`; undefined when there is none. @throws STATE_KEY_INVALID */
export function matchesOfKey(
  context: OperatorContext,
  { fields, matches, stages, key }: MatchesOfKeyOptions,
): Json | undefined {
  enterKey(context, fields, matches.state, key);
  try {
    const { partials } = matches.get();
    if (partials.length === 0) return undefined;
    const shown = partials.map(({ stage, firstMs, rows, stages: of }): Json => {
      const nameOf = (one: number) => stages[one]?.name ?? '';
      const own = rows.map((number, at): Json => {
        return { stage: nameOf(of[at] ?? -1), row: shownValue(matches.rowAt(number)) };
      });
      return { behind: nameOf(stage), since: shownTime(firstMs), rows: own };
    });
    return { partialMatches: shown };
  } finally {
    matches.state.cursor.leave();
  }
}
