/**
 * Goal: patterns find what a reference finds that looks at all rows at once: random patterns, rows in and out of order,
 * watermarks anywhere, in all ways that a task may run an operator, sorted as in batch and by the operator itself.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import {
  PatternOperator,
  type PatternOperatorOptions,
} from '../../../../engine/operators/pattern/pattern-operator.ts';
import type {
  AfterMatch,
  PatternSpec,
  PatternStage,
} from '../../../../engine/plan/pattern-spec.ts';
import type { MatchedRows, PatternFunctions } from '../../../../engine/plan/user-functions.ts';
import { boolType, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Row,
  type Step,
} from '../../../support/operator-harness.ts';
import { checkSnapshots, checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';
import { patternReference } from './pattern-reference.ts';

const number = { kind: 'int64', js: 'number' } as const;
const time = { kind: 'timestamp', unit: 'ms' } as const;
const stageNames = ['a', 'b', 'c', 'd'] as const;
const fields = [fieldOf('user', utf8Type, true), fieldOf('at', time), fieldOf('id', number)];
/** Whether a row is one of a stage: given as columns, as expressions give it. */
const input = {
  fields: [...fields, ...stageNames.map((name) => fieldOf(`is-${name}`, boolType, true))],
};
const output = {
  fields: [fieldOf('user', utf8Type, true), fieldOf('text', utf8Type), fieldOf('timeMs', number)],
};

/** `a: 1 2 | b: 3`. */
function textOf(rows: MatchedRows): string {
  return Object.entries(rows)
    .map(([name, all]) => `${name}: ${all.map(({ id }) => id).join(' ')}`)
    .join(' | ');
}

/** What a stage's function says, by the sum of the rows that were matched before. */
function isTested(row: Row, before: readonly Row[]): boolean {
  const sum = before.reduce((total, { id }) => total + (id as number), 0);
  return (sum + (row.id as number)) % 3 !== 0;
}

function functionsOf(spec: PatternSpec): PatternFunctions {
  return {
    kind: 'pattern',
    select: (rows, { key, timeMs }) => ({ ...(key as Row), text: textOf(rows), timeMs }),
    timedOut: spec.hasTimedOut
      ? (rows, { key, timeMs }) => ({ ...(key as Row), text: `over ${textOf(rows)}`, timeMs })
      : null,
    tests: spec.stages.map(({ hasTest }) =>
      hasTest ? (row, rows) => isTested(row, Object.values(rows).flat()) : null,
    ),
  };
}

function buildWith(pattern: PatternSpec, changes: Partial<PatternOperatorOptions> = {}) {
  return (context: OperatorContext) =>
    new PatternOperator(context, {
      ...{ input, output, pattern, fieldCount: fields.length, timeColumn: 'at', isSorted: false },
      keys: [{ name: 'user', column: 'user' }],
      conditions: pattern.stages.map(({ name }) => `is-${name}`),
      functions: functionsOf(pattern),
      ...changes,
    });
}

const stage = fc.record({
  kind: fc.constantFrom('rows', 'rows', 'rows', 'rows', 'notNext', 'notFollowedBy'),
  contiguity: fc.constantFrom('next', 'followedBy', 'followedByAny'),
  isOptional: fc.boolean(),
  count: fc.constantFrom([1, 1], [1, 1], [1, 1], [1, null], [2, 2], [1, 3], [2, null]),
  isConsecutive: fc.boolean(),
  isGreedy: fc.boolean(),
  hasTest: fc.boolean(),
});
const after = fc.constantFrom<AfterMatch['kind']>(
  ...(['noSkip', 'noSkip', 'toNext', 'pastLast', 'toFirst', 'toLast'] as const),
);

/** Patterns as the API lets them be. */
const patterns = fc
  .record({
    stages: fc.array(stage, { minLength: 1, maxLength: 4 }),
    withinMs: fc.option(fc.integer({ min: 0, max: 12 })),
    ...{ after, afterStage: fc.nat() },
  })
  .map((given): PatternSpec => {
    let before = 'none';
    const stages = given.stages.map(({ count: [min, max], ...one }, at): PatternStage => {
      const isLast = at === given.stages.length - 1;
      const isBehindNot = before !== 'rows';
      const mayEnd = one.kind === 'notFollowedBy' && given.withinMs !== null;
      const kind = isBehindNot || (isLast && !mayEnd) ? 'rows' : one.kind;
      before = kind;
      const counts = kind === 'rows' ? { min: min ?? 1, max: max ?? null } : { min: 1, max: 1 };
      const isLoop = counts.max !== 1;
      return {
        ...{ ...one, ...counts, kind, name: stageNames[at] ?? 'a' },
        isOptional: one.isOptional && kind === 'rows' && !isBehindNot,
        isConsecutive: one.isConsecutive && isLoop,
        isGreedy: one.isGreedy && counts.max !== counts.min && !isLast,
      };
    });
    const rows = stages.flatMap(({ kind }, at) => (kind === 'rows' ? [at] : []));
    const of = rows[given.afterStage % rows.length] ?? 0;
    const { after: kind, withinMs } = given;
    const skip = kind === 'toFirst' || kind === 'toLast' ? { kind, stage: of } : { kind };
    return { stages, withinMs, after: skip, hasTimedOut: false };
  });

const row = fc.record({
  user: fc.constantFrom('u', 'u', 'u', null),
  late: fc.integer({ min: 0, max: 3 }),
  gap: fc.integer({ min: 0, max: 4 }),
  is: fc.array(fc.option(fc.boolean(), { freq: 6 }), { minLength: 4, maxLength: 4 }),
  mark: fc.boolean(),
});

/** Rows that are out of order by up to 3, and marks that none is late for. */
const streams = fc.array(row, { maxLength: 22 }).map((given) => {
  const steps: Step[] = [];
  let [now, watermark] = [10, 0];
  for (const [id, { user, late, gap, is, mark }] of given.entries()) {
    now += gap;
    const conditions = stageNames.map((name, at) => [`is-${name}`, is[at] ?? null]);
    steps.push({ row: { user, at: now - late, id, ...Object.fromEntries(conditions) } });
    if (!mark || now - 3 <= watermark) continue;
    watermark = now - 3;
    steps.push({ watermark });
  }
  return steps;
});

function rowsIn(steps: readonly Step[]): Row[] {
  const rows = steps.flatMap((step) => ('row' in step ? [step.row] : []));
  // Sorting keeps the order of those of one time.
  return rows.sort((a, b) => (a.at as number) - (b.at as number));
}

function expectedOf(spec: PatternSpec, steps: readonly Step[]): Row[] {
  const rows = rowsIn(steps);
  return ['u', null].flatMap((user) => {
    const own = rows.filter((one) => one.user === user);
    const given = own.map((one) => ({
      at: one.at as number,
      isOf: (of: number, before: readonly number[]) =>
        one[`is-${spec.stages[of]?.name}`] === true &&
        (spec.stages[of]?.hasTest !== true ||
          isTested(
            one,
            before.map((at) => own[at] ?? {}),
          )),
    }));
    return patternReference(spec, given).map((match): Row => {
      const names = spec.stages.flatMap(({ kind, name }, at) =>
        kind === 'rows' ? [{ name, at }] : [],
      );
      const found = names.map(({ name, at }) => [
        name,
        match.rows.filter((_, place) => match.stages[place] === at).map((one) => own[one] ?? {}),
      ]);
      const isByTime = !Number.isInteger(match.doneAt);
      const timeOf = (one: number) => own[one]?.at as number;
      const timeMs = isByTime
        ? timeOf(match.rows[0] ?? 0) + (spec.withinMs ?? 0)
        : timeOf(match.doneAt);
      return { user, text: textOf(Object.fromEntries(found) as MatchedRows), timeMs };
    });
  });
}

test('matches are those of a reference that sees all rows', { timeout: 300_000 }, () => {
  fc.assert(
    fc.property(patterns, streams, (spec, steps) => {
      const expected = expectedOf(spec, steps);
      const one = { input, asked: ['u'], isOrdered: false, expected };
      checkOperator({ ...one, steps, build: buildWith(spec) });
      const rows = rowsIn(steps);
      checkOperator({ ...one, rows, build: buildWith(spec, { isSorted: true }) });
    }),
    { numRuns: 80 },
  );
});

test('matches go on from a snapshot: partial ones, rows that wait for their time, in other tasks', () => {
  fc.assert(
    fc.property(patterns, streams, fc.nat(1e6), (spec, steps, seed) => {
      checkSnapshotsOnce({ input, keys: ['user'], steps, build: buildWith(spec) }, seed);
    }),
    { numRuns: 60 },
  );
});

const rowsStage: PatternStage = {
  ...{ name: 'a', kind: 'rows', contiguity: 'followedBy', min: 1, max: 1 },
  ...{ isOptional: false, isConsecutive: false, isGreedy: false, hasTest: false },
};
const twoStages: PatternSpec = {
  stages: [rowsStage, { ...rowsStage, name: 'b' }],
  ...{ withinMs: 10, after: { kind: 'noSkip' }, hasTimedOut: true },
};
const stepOf = (is: string, at: number, id: number): Step => {
  const conditions = stageNames.map((name) => [`is-${name}`, is.includes(name)]);
  return { row: { user: 'u', at, id, ...Object.fromEntries(conditions) } };
};

test('what is not complete in time comes out as such, when its time is over', () => {
  checkOperator({
    input,
    steps: [
      ...[stepOf('a', 0, 1), stepOf('a', 5, 2), stepOf('b', 10, 3), { watermark: 11 }],
      ...[stepOf('a', 12, 4), { watermark: 22 }, { watermark: 23 }, stepOf('a', 30, 5)],
    ],
    hasMarks: true,
    build: buildWith(twoStages),
    expected: [
      { user: 'u', text: 'a: 1 | b: 3', timeMs: 10 },
      { user: 'u', text: 'a: 2 | b: 3', timeMs: 10 },
      ...[{ watermark: 11 }, { watermark: 22 }],
      { user: 'u', text: 'over a: 4 | b: ', timeMs: 22 },
      { watermark: 23 },
      { user: 'u', text: 'over a: 5 | b: ', timeMs: 40 },
    ],
  });
});

test('a late row is in no match, and goes to the late output', () => {
  const [late] = [stepOf('b', 7, 3)] as { row: Row }[];
  checkOperator({
    input,
    steps: [stepOf('a', 5, 1), { watermark: 8 }, late as Step, stepOf('b', 8, 2)],
    build: buildWith(twoStages),
    expected: [{ user: 'u', text: 'a: 1 | b: 2', timeMs: 8 }],
    expectedLate: [{ ...late?.row, at: 7n }],
  });
});

test('what is over in time, and late rows, are the same behind a snapshot', () => {
  checkSnapshots({
    ...{ input, keys: ['user'], build: buildWith(twoStages) },
    steps: [
      ...[stepOf('a', 5, 1), { watermark: 8 }, stepOf('b', 7, 2), stepOf('b', 8, 3)],
      ...[stepOf('a', 12, 4), stepOf('a', 12, 5), { watermark: 20 }, stepOf('b', 3, 6)],
      ...[{ watermark: 23 }, stepOf('a', 30, 7), stepOf('b', 31, 8), { watermark: 31 }],
    ],
  });
});

test('the state of a key are its partial matches', () => {
  const { context, memory, scope } = newContext('tested');
  const operator = buildWith(twoStages)(context);
  const rows = [stepOf('a', 5, 1), stepOf('', 6, 2)].flatMap((step) =>
    'row' in step ? [step.row] : [],
  );
  const batch = batchOf(scope, input, rows);
  const outbox = new CollectingOutbox();
  feed(operator, batch, outbox);
  batch.release();
  expect(operator.stateOf('u')).toBeUndefined();
  while (!operator.advance(8, outbox));
  const found = { stage: 'a', row: { user: 'u', at: 5, id: 1 } };
  expect(operator.stateOf('u')).toEqual({
    partialMatches: [{ behind: 'a', since: '1970-01-01T00:00:00.005Z', rows: [found] }],
  });
  expect(operator.stateOf('v')).toBeUndefined();
  operator.close();
  memory.assertEmpty();
});

test.each([
  ['select', () => null, 'gave out null where a row is due'],
  ['select', () => ({ user: 'u', text: 1, timeMs: 2 }), 'gave out a row that does not fit'],
  ['tests', () => 1, 'returned 1 where true or false is due'],
  ['timedOut', () => JSON.parse('{'), 'failed: '],
])('a function %s that does not do: %s', (name, given, message) => {
  const { context, memory, scope } = newContext('tested');
  const own = functionsOf(twoStages);
  const changed = name === 'tests' ? { tests: [given, null] } : { [name]: given };
  const operator = buildWith(twoStages, { functions: { ...own, ...changed } as never })(context);
  const given1 = [stepOf('a', 0, 1), stepOf('b', 1, 2), stepOf('a', 2, 3)];
  const batch = batchOf(
    scope,
    input,
    given1.flatMap((step) => ('row' in step ? [step.row] : [])),
  );
  const outbox = new CollectingOutbox();
  feed(operator, batch, outbox);
  batch.release();
  expect(typedErrorOf(() => operator.finish(outbox))?.message).toContain(message);
  operator.close();
  memory.assertEmpty();
});

test('too many partial matches of one key end the job with what to do', () => {
  const { context, memory, scope } = newContext('tested');
  const many = { ...twoStages, withinMs: null, hasTimedOut: false };
  const operator = buildWith(many, { isSorted: true })(context);
  const steps = Array.from({ length: 4_000 }, (_, at) => stepOf('a', at, at));
  const rows = steps.flatMap((step) => ('row' in step ? [step.row] : []));
  const batches = [batchOf(scope, input, rows), batchOf(scope, input, rows)];
  const outbox = new CollectingOutbox();
  const limited = batches.map((batch) => typedErrorOf(() => feed(operator, batch, outbox)));
  for (const batch of batches) batch.release();
  expect(limited[1]?.info).toMatchObject({
    code: 'PATTERN_TOO_MANY',
    hint: expect.stringContaining('within what time'),
  });
  operator.close();
  memory.assertEmpty();
});
