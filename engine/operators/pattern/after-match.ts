/**
 * After a match: where matching goes on. What began before that place is dropped, partial matches as well as matches
 * that come behind it.
 */
import type { AfterMatch } from '../../plan/pattern-spec.ts';
import type { PartialMatch } from './pattern-step.ts';

/** The number of the row where matching goes on; minus infinity: nothing is dropped. */
function placeAfter(after: AfterMatch, { rows, stages }: PartialMatch): number {
  const first = rows[0] ?? 0;
  switch (after.kind) {
    case 'noSkip':
      return Number.NEGATIVE_INFINITY;
    case 'toNext':
      return first + 1;
    case 'pastLast':
      return (rows.at(-1) ?? first) + 1;
    default: {
      const { kind, stage } = after;
      const at = kind === 'toFirst' ? stages.indexOf(stage) : stages.lastIndexOf(stage);
      return at < 0 ? Number.NEGATIVE_INFINITY : (rows[at] ?? first);
    }
  }
}

/** Of matches in their order those that count, and the partial matches that are left. */
export function applyAfterMatch(
  after: AfterMatch,
  matches: readonly PartialMatch[],
  partials: readonly PartialMatch[],
): { readonly matches: PartialMatch[]; readonly partials: readonly PartialMatch[] } {
  let place = Number.NEGATIVE_INFINITY;
  const begins = ({ rows }: PartialMatch) => (rows[0] ?? 0) >= place;
  const counted: PartialMatch[] = [];
  for (const match of matches) {
    if (!begins(match)) continue;
    counted.push(match);
    place = Math.max(place, placeAfter(after, match));
  }
  if (place === Number.NEGATIVE_INFINITY) return { matches: counted, partials };
  return { matches: counted, partials: partials.filter(begins) };
}
