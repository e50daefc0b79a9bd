/**
 * Goal: an executor is started once whatever is asked, nothing runs behind its stop or behind the worker's life, and each end is told
 * until it is taken; in every order in which calls and ends may come.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toWire, typedError } from '../../../base/typed-error.ts';
import {
  type ExecutorBook,
  type ExecutorEffect,
  type ExecutorEvent,
  emptyBook,
  rememberMs,
  runningIds,
  stepExecutors,
} from '../../../worker/supervisor/executor-book.ts';

const error = toWire(typedError('EXECUTOR_LOST', 'it has ended'));

function run(words: readonly string[], stepMs = 1) {
  let book: ExecutorBook = emptyBook;
  const did: string[] = [];
  words.forEach((kind, index) => {
    const event = { kind, executorId: 'e', error, nowMs: index * stepMs } as ExecutorEvent;
    const step = stepExecutors(book, event);
    book = step.book;
    did.push(...step.effects.map(textOf));
  });
  return { did: did.join(' '), state: book.get('e')?.kind ?? 'absent', running: runningIds(book) };
}

function textOf(effect: ExecutorEffect): string {
  return effect.kind === 'kill' ? effect.how : effect.kind;
}

test.each`
  events                                    | did                           | state
  ${'start'}                                | ${'prepare'}                  | ${'preparing'}
  ${'start start'}                          | ${'prepare'}                  | ${'preparing'}
  ${'start prepared'}                       | ${'prepare launch'}           | ${'running'}
  ${'start prepared start prepared'}        | ${'prepare launch'}           | ${'running'}
  ${'start ended'}                          | ${'prepare tell'}             | ${'ended'}
  ${'start prepared ended'}                 | ${'prepare launch tell'}      | ${'ended'}
  ${'start prepared ended ended'}           | ${'prepare launch tell'}      | ${'ended'}
  ${'start prepared ended start'}           | ${'prepare launch tell'}      | ${'ended'}
  ${'start prepared ended taken'}           | ${'prepare launch tell'}      | ${'gone'}
  ${'start prepared ended taken start'}     | ${'prepare launch tell'}      | ${'gone'}
  ${'start prepared ended stop'}            | ${'prepare launch tell'}      | ${'gone'}
  ${'stop'}                                 | ${''}                         | ${'gone'}
  ${'stop start'}                           | ${''}                         | ${'gone'}
  ${'start stop'}                           | ${'prepare'}                  | ${'gone'}
  ${'start stop prepared'}                  | ${'prepare'}                  | ${'gone'}
  ${'start stop ended'}                     | ${'prepare'}                  | ${'gone'}
  ${'start prepared stop'}                  | ${'prepare launch asked'}     | ${'ending'}
  ${'start prepared stop stop'}             | ${'prepare launch asked'}     | ${'ending'}
  ${'start prepared stop ended'}            | ${'prepare launch asked'}     | ${'gone'}
  ${'start prepared stop start ended'}      | ${'prepare launch asked'}     | ${'gone'}
  ${'start lifeEnded'}                      | ${'prepare'}                  | ${'gone'}
  ${'start lifeEnded prepared'}             | ${'prepare'}                  | ${'gone'}
  ${'start prepared lifeEnded'}             | ${'prepare launch now'}       | ${'ending'}
  ${'start prepared lifeEnded ended'}       | ${'prepare launch now'}       | ${'gone'}
  ${'start prepared stop lifeEnded'}        | ${'prepare launch asked now'} | ${'ending'}
  ${'start prepared ended lifeEnded taken'} | ${'prepare launch tell'}      | ${'gone'}
  ${'taken'}                                | ${''}                         | ${'absent'}
  ${'ended'}                                | ${''}                         | ${'absent'}
`('$events: $did, and it is $state', ({ events, did, state }) => {
  expect(run(events.split(' '))).toMatchObject({ did, state });
});

test('what is gone is remembered for longer than any call is under way', () => {
  expect(run(['stop', 'start'], rememberMs - 1).did).toBe('');
  expect(run(['stop', 'start'], rememberMs).did).toBe('prepare');
});

test('those that are prepared or run are known by their ids', () => {
  expect(run(['start']).running).toEqual(['e']);
  expect(run(['start', 'prepared', 'stop']).running).toEqual([]);
});

test('in any order: one launch at most, and none behind a stop or behind the end of the life that it was asked for in', () => {
  const kinds = ['start', 'prepared', 'stop', 'taken', 'ended', 'lifeEnded'] as const;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...kinds), { maxLength: 12 }), (events) => {
      const launchedBy = events.map((_, index) => run(events.slice(0, index + 1)).did);
      const launch = launchedBy.findIndex((did) => did.includes('launch'));
      expect(launchedBy.at(-1)?.split('launch').length ?? 1).toBeLessThanOrEqual(2);
      if (launch < 0) return;
      const asked = events.slice(0, launch);
      expect(asked).not.toContain('stop');
      expect(asked.slice(asked.indexOf('start'))).not.toContain('lifeEnded');
    }),
  );
});
