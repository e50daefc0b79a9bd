/** Goal: what the coordinator says of a transactional id is taken for what it means of the transaction that was noted. */
import { expect, test } from 'vitest';
import { outcomeOf } from '../../../connectors/kafka/transaction-outcome.ts';

const noted = { producerId: 7, epoch: 4 };

test.each`
  state                  | producerId | epoch | outcome        | because
  ${'Ongoing'}           | ${7}       | ${4}  | ${'open'}      | ${'nobody has ended it'}
  ${'PrepareCommit'}     | ${7}       | ${4}  | ${'committed'} | ${'nothing can undo that'}
  ${'CompleteCommit'}    | ${7}       | ${4}  | ${'committed'} | ${'it was'}
  ${'CompleteAbort'}     | ${7}       | ${5}  | ${'lost'}      | ${'the broker ended it, and adds 1'}
  ${'PrepareAbort'}      | ${7}       | ${5}  | ${'lost'}      | ${'the broker is ending it'}
  ${'PrepareEpochFence'} | ${7}       | ${5}  | ${'lost'}      | ${'the broker is ending it'}
  ${'CompleteAbort'}     | ${7}       | ${4}  | ${'lost'}      | ${'whatever ended it'}
  ${'Empty'}             | ${7}       | ${5}  | ${'committed'} | ${'the id is used again'}
  ${'Ongoing'}           | ${7}       | ${5}  | ${'committed'} | ${'the id is used again'}
  ${'CompleteCommit'}    | ${7}       | ${5}  | ${'committed'} | ${'the id was used again'}
  ${'CompleteAbort'}     | ${7}       | ${6}  | ${'committed'} | ${'one behind it was lost'}
  ${'Empty'}             | ${8}       | ${0}  | ${'committed'} | ${'epochs were used up'}
  ${'Empty'}             | ${7}       | ${4}  | ${null}        | ${'nothing was written by it'}
  ${'CompleteCommit'}    | ${7}       | ${3}  | ${null}        | ${'the broker has lost what it knew'}
`(
  '$state of $producerId, $epoch is $outcome: $because',
  ({ state, producerId, epoch, outcome }) => {
    expect(outcomeOf(noted, { state, producerId, epoch })).toBe(outcome);
  },
);

test('of an id that the coordinator has forgotten nothing is known', () => {
  expect(outcomeOf(noted, null)).toBe(null);
});
