/**
 * Goal: a job begins with the state that a program has written out of a batch job's rows, and goes on from there as if it had
 * read the past itself: at any parallelism, with every kind of state that is kept by key.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agg, defineJob, state, t } from 'millrace';
import { files, ndjson } from 'millrace/files';
import { memory } from 'millrace/memory';
import { run, writeSavepoint } from 'millrace/run';
import { expect, test } from 'vitest';
import { codeOf } from '../../base/typed-error.ts';
import { projectFolder, runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Entry {
  readonly id: number;
  readonly key: string;
  readonly amount: number;
}

const entryOf = (id: number): Entry => ({ id, key: `k${(id * 7) % 40}`, amount: (id % 11) - 5 });
const past = Array.from({ length: 3000 }, (_, id) => entryOf(id));
const coming = Array.from({ length: 2000 }, (_, at) => entryOf(3000 + at));

function linesOf(entries: readonly Entry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

/** The sum behind each entry, from the very start. */
function sumsFromStart(): Map<number, number> {
  const sums = new Map<string, number>();
  return new Map(
    [...past, ...coming].map(({ id, key, amount }) => {
      const sum = (sums.get(key) ?? 0) + amount;
      sums.set(key, sum);
      return [id, sum] as const;
    }),
  );
}

const totals = (input: string) =>
  defineJob({
    name: 'totals',
    build: ({ read }) => {
      const fields = t.struct({ id: t.int64(), key: t.utf8(), amount: t.int64() });
      return read(files.source({ path: input, format: ndjson(fields) }))
        .keyBy((entry) => entry.key)
        .aggregate({ sum: agg.sum((entry) => entry.amount) })
        .writeTo(memory.sink());
    },
  });

test.each([1, 3])('the ledger goes on from totals of the past, in %i tasks', async (tasks) => {
  const folder = tempFolder();
  const file = (name: string, text: string) => writeFileSync(join(folder, name), text);
  file('past.ndjson', linesOf(past));
  file('coming.ndjson', linesOf(coming));
  const { rows } = await run(totals(join(folder, 'past.ndjson')), { parallelism: 2 });
  await writeSavepoint(join(folder, 'saved'), {
    job: 'ledger',
    operator: 'process-key',
    key: t.struct({ key: t.utf8() }),
    state: { sum: state.value(t.int64()) },
    rows: rows as Iterable<{ key: string; sum: bigint }>,
    keyOf: ({ key }) => ({ key }),
    put: ({ sum }, states) => states.sum.set(sum),
  });
  const job = join(projectFolder, 'jobs/ledger/job.ts');
  const words = ['run', job, '--input', 'coming.ndjson', '--output', 'out/', '--json'];
  const flags = [
    '--checkpoint-dir',
    'chk',
    '--from-savepoint',
    'saved',
    '--parallelism',
    `${tasks}`,
  ];
  const result = await runCli([...words, ...flags], { cwd: folder });
  expect(result.exitCode, result.stderr).toBe(0);
  const expected = sumsFromStart();
  const lines = readdirSync(join(folder, 'out')).flatMap((name) =>
    readFileSync(join(folder, 'out', name), 'utf8')
      .split('\n')
      .filter(Boolean),
  );
  const found = lines.map((line) => JSON.parse(line) as { id: number; sum: number });
  expect(found.length).toBe(coming.length);
  for (const { id, sum } of found) expect([id, sum]).toEqual([id, expected.get(id)]);
  const read = ['state', 'read', 'saved', 'process-key', '--key', 'k7', '--format', 'ndjson'];
  const shown = await runCli(read, { cwd: folder });
  const sumOfPast = past
    .filter(({ key }) => key === 'k7')
    .reduce((sum, one) => sum + one.amount, 0);
  expect(JSON.parse(shown.stdout)).toMatchObject({ key: 'k7', value: sumOfPast });
});

test('lists and maps, keys of several columns, and more rows than a batch has', async () => {
  const folder = tempFolder();
  async function* rows() {
    for (let row = 0; row < 20_000; row++) yield { user: row % 50, day: row % 3, n: row };
  }
  await writeSavepoint(join(folder, 'saved'), {
    job: 'any',
    operator: 'seen',
    key: t.struct({ user: t.int64(), day: t.int32() }),
    state: { all: state.list(t.int32()), last: state.map(t.utf8(), t.int32()) },
    rows: rows(),
    keyOf: ({ user, day }) => ({ user: BigInt(user), day }),
    put({ n }, { all, last }) {
      if (n < 300) all.add(n);
      last.set(n % 2 === 0 ? 'even' : 'odd', n);
    },
  });
  const read = async (part: string) => {
    const words = [
      'state',
      'read',
      'saved',
      'seen',
      '--part',
      part,
      '--format',
      'ndjson',
      '--key',
      '[7, 1]',
    ];
    const { stdout } = await runCli(words, { cwd: folder });
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { value: number });
  };
  const own = Array.from({ length: 20_000 }, (_, row) => row).filter(
    (row) => row % 50 === 7 && row % 3 === 1,
  );
  expect((await read('state-all')).map(({ value }) => value)).toEqual(own.filter((n) => n < 300));
  expect((await read('state-last')).map(({ value }) => value)).toEqual([own.at(-1)]);
  const again = writeSavepoint(join(folder, 'saved'), {
    ...{ job: 'any', operator: 'seen', key: t.struct({ user: t.int64() }), state: {} },
    ...{ rows: [], keyOf: () => ({ user: 1n }), put: () => undefined },
  });
  expect(codeOf(await again.catch((error: unknown) => error))).toBe('SAVEPOINT_TARGET_TAKEN');
});
