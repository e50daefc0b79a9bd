/** Goal: options have defaults, and one that is out of its range is refused by name. */
import { expect, test } from 'vitest';
import { checkpointOptions } from '../../../coordinator/checkpoint/checkpoint-options.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

test('what is not given has a default, and no interval is one of the choices', () => {
  expect(checkpointOptions({ intervalMs: null })).toEqual({
    ...{ intervalMs: null, minPauseMs: 0, timeoutMs: 600_000, inFlightMax: 1, failuresMax: 0 },
    ...{ mode: 'aligned', alignmentTimeoutMs: null },
  });
});

test.each([
  [{ intervalMs: 5 }, 'option "intervalMs" is 5; it has to be from 10 to 31536000000'],
  [{ inFlightMax: 17 }, 'option "inFlightMax" is 17; it has to be from 1 to 16'],
  [{ timeoutMs: Number.POSITIVE_INFINITY }, 'option "timeoutMs" is Infinity'],
  [{ minPauseMs: -1 }, 'option "minPauseMs" is -1'],
  [{ alignmentTimeoutMs: -5 }, 'option "alignmentTimeoutMs" is -5'],
  [
    { mode: 'unaligned', alignmentTimeoutMs: 100 } as const,
    'option "alignmentTimeoutMs" is of use to aligned checkpoints, and these are unaligned',
  ],
])('%j is refused', (given, message) => {
  const error = typedErrorOf(() => checkpointOptions(given));
  expect(error?.info.code).toBe('CHECKPOINT_OPTION_INVALID');
  expect(error?.message).toContain(message);
});
