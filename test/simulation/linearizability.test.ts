/** Goal: the checker says of a history what trying every order of its operations says, and names what does not fit. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkLinearizable,
  type HistoryModel,
  type Operation,
} from '../../simulation/linearizability.ts';

/** A register: `w1` writes 1, `r` reads. */
const register: HistoryModel<string, string, string> = {
  initial: '0',
  step: (state, input, output) => {
    if (input.startsWith('w')) return input.slice(1);
    return output === state ? state : null;
  },
  changesNothing: (input) => input === 'r',
  keyOf: (state) => state,
};

/** `w1 0-5` or `r=1 2-8`; `w1 0-` never returned. */
function historyOf(text: string): Operation<string, string>[] {
  return text.split(', ').map((line) => {
    const [, input = '', output, from, to] = /^(\w+)(?:=(\w+))? (\d+)-(\d*)$/.exec(line) ?? [];
    const isOpen = to === '';
    return {
      ...{ input, output: isOpen ? null : (output ?? 'ok') },
      ...{ calledAtMs: Number(from), returnedAtMs: isOpen ? Number.POSITIVE_INFINITY : Number(to) },
    };
  });
}

test.each`
  what                                 | history                                        | isLinearizable
  ${'nothing'}                         | ${'w1 0-'}                                     | ${true}
  ${'one behind the other'}            | ${'w1 0-1, r=1 2-3'}                           | ${true}
  ${'a stale read'}                    | ${'w1 0-1, r=0 2-3'}                           | ${false}
  ${'a read beside a write, old'}      | ${'w1 0-5, r=0 1-2'}                           | ${true}
  ${'a read beside a write, new'}      | ${'w1 0-5, r=1 1-2'}                           | ${true}
  ${'new, then old again'}             | ${'w1 0-9, r=1 1-2, r=0 3-4'}                  | ${false}
  ${'two writes beside, either last'}  | ${'w1 0-5, w2 0-5, r=1 6-7'}                   | ${true}
  ${'two writes beside, both last'}    | ${'w1 0-5, w2 0-5, r=1 6-7, r=2 8-9'}          | ${false}
  ${'readers that see two orders'}     | ${'w1 0-9, w2 0-9, r=1 1-2, r=2 3-4, r=1 5-6'} | ${false}
  ${'never returned, and not done'}    | ${'w1 0-, r=0 1-2, r=0 8-9'}                   | ${true}
  ${'never returned, and done late'}   | ${'w1 0-, r=0 1-2, r=1 8-9'}                   | ${true}
  ${'never returned, done and undone'} | ${'w1 0-, r=1 1-2, r=0 8-9'}                   | ${false}
  ${'seen before it was called'}       | ${'r=1 0-1, w1 2-'}                            | ${false}
  ${'a value that nobody wrote'}       | ${'w1 0-1, r=7 0-9'}                           | ${false}
`('$what: $isLinearizable', ({ history, isLinearizable }) => {
  expect(checkLinearizable(historyOf(history), register).isLinearizable).toBe(isLinearizable);
});

test('it names what does not fit', () => {
  const history = historyOf('w1 0-1, w2 2-3, r=2 4-5, r=1 6-7, r=1 8-9');
  expect(checkLinearizable(history, register)).toEqual({
    isLinearizable: false,
    longest: 3,
    stuckAt: 3,
  });
});

/** Every order of the operations that time allows, and every choice of those that never returned. */
function byTrying(
  history: readonly Operation<string, string>[],
  state = register.initial,
): boolean {
  const open = history.filter(({ returnedAtMs }) => returnedAtMs < Infinity);
  if (open.length === 0) return true;
  const firstReturn = Math.min(...open.map(({ returnedAtMs }) => returnedAtMs));
  return history.some((operation) => {
    if (operation.calledAtMs > firstReturn) return false;
    const next = register.step(state, operation.input, operation.output);
    return (
      next !== null &&
      byTrying(
        history.filter((other) => other !== operation),
        next,
      )
    );
  });
}

test('it says what trying every order says', () => {
  const operation = fc
    .tuple(
      fc.constantFrom('w1', 'w2', 'r'),
      fc.constantFrom('0', '1', '2'),
      fc.nat(12),
      fc.nat(6),
      fc.nat(9),
    )
    .map(([input, output, calledAtMs, forMs, chance]) => ({
      ...{ input, calledAtMs },
      // A read that never returned says nothing, so only writes are left open.
      ...(input !== 'r' && chance === 0
        ? { output: null, returnedAtMs: Number.POSITIVE_INFINITY }
        : { output, returnedAtMs: calledAtMs + forMs }),
    }));
  let wrong = 0;
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 7 }), (history) => {
      const { isLinearizable } = checkLinearizable(history, register);
      if (!isLinearizable) wrong++;
      expect(isLinearizable).toBe(byTrying(history));
    }),
    { numRuns: 2_000 },
  );
  expect(wrong).toBeGreaterThan(200);
});

test('a long history of many clients is checked in a moment', () => {
  const history: Operation<string, string>[] = [];
  let value = 0;
  for (let atMs = 0; history.length < 4_000; atMs += 10) {
    for (let client = 0; client < 3; client++) {
      const times = { calledAtMs: atMs + client, returnedAtMs: atMs + 8 };
      history.push({ input: 'r', output: String(value), ...times });
    }
    history.push({
      input: `w${++value}`,
      output: 'ok',
      calledAtMs: atMs + 1,
      returnedAtMs: atMs + 9,
    });
  }
  expect(checkLinearizable(history, register).isLinearizable).toBe(true);
});
