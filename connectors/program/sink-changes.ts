/**
 * How sinks of the program take changes: as they are asked to, or, where results never come to an end, every row that
 * goes and comes.
 */
import { typedError } from '../../base/typed-error.ts';
import type { SinkChanges } from '../../engine/contracts/connector.ts';

/** What the column in front of the others is called. */
const column = 'change';

/** @throws CHANGES_OPTION_INVALID */
export function changesOf(sink: string, asked: 'retract' | 'upsert' | undefined): SinkChanges {
  if (asked !== undefined && asked !== 'retract' && asked !== 'upsert') {
    throw typedError(
      'CHANGES_OPTION_INVALID',
      `changes of ${sink} can't be ${JSON.stringify(asked)}`,
      {
        hint: 'Write "retract" for every row that goes and comes, "upsert" for the row that comes by its key.',
      },
    );
  }
  return { mode: asked ?? 'retract', column, isAsked: asked !== undefined };
}
