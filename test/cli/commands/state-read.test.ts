/** Goal: what operators have in a checkpoint is shown as rows: in each format, of one key, and of nothing but its files. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { createRealSyncDisk } from '../../../base/env/real-sync-disk.ts';
import { stateCommand } from '../../../cli/commands/state.ts';
import type { CheckpointStatistics } from '../../../coordinator/checkpoint/checkpoint-history.ts';
import { manifestOf } from '../../../coordinator/checkpoint/manifest-of.ts';
import { folderStore } from '../../../coordinator/checkpoint/store/folder-store.ts';
import { BatchBuilder } from '../../../engine/batch/batch-builder.ts';
import type { OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { SnapshotFileWriter } from '../../../worker/snapshot/snapshot-file-writer.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';
import { slotContext } from '../../support/slot-context.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const counts = schemaOf(
  fieldOf('word', utf8Type, true),
  fieldOf('day', int64Type),
  fieldOf('n', int64Type),
);
const late = schemaOf(fieldOf('note', utf8Type));

type Row = readonly unknown[];
interface TaskRows {
  readonly counts: readonly Row[];
  readonly late?: readonly Row[];
}

const operators: readonly OperatorSpec[] = [
  { kind: 'firstRows', id: 'counts-1', name: 'counts', keys: ['word', 'day'], output: counts },
  { kind: 'limit', id: 'limit-1', name: 'limit', count: 3, output: counts },
];
const graph: PhysicalGraph = {
  ...{ jobName: 'words', parallelism: 2 },
  vertices: [{ id: 'v1', name: 'count', parallelism: 2, chain: operators }],
  edges: [
    {
      ...{ id: 'e1', from: 'v0', output: 0, to: 'v1', port: 0, schema: counts, isBlocking: false },
      exchange: { kind: 'hash', columns: ['word', 'day'] },
    },
  ],
};

/** A folder of checkpoints with one of two tasks. */
async function checkpointOf(tasks: readonly TaskRows[]): Promise<string> {
  const folder = tempFolder();
  const attempt = await folderStore(createRealEnv(), { folder, jobName: 'words' }).beginAttempt({
    kind: 'latest',
  });
  const snapshots = tasks.map((rows, taskIndex) => {
    const statistics = { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 };
    const path = `${attempt.folderOf(1)}/${taskIndex}.arrow`;
    return {
      ...{ taskId: `v1[${taskIndex}]`, vertexId: 'v1', taskIndex, parallelism: tasks.length },
      operators: written(attempt.root, path, rows),
      ...{ source: null, prepared: null, statistics },
    };
  });
  const statistics: CheckpointStatistics = {
    ...{ checkpointId: 1, kind: 'checkpoint', durationMs: 1, sizeBytes: 2, missing: [], tasks: [] },
  };
  const collected = { checkpointId: 1, checkpointKind: 'checkpoint', writes: [] } as const;
  const facts = { graph, jobFingerprint: '', writtenBy: '', epoch: 1, nowMs: 0, splits: {} };
  const manifest = manifestOf(
    { ...collected, snapshots, statistics },
    { ...facts, keyGroupCount: 8 },
  );
  await attempt.complete(await attempt.writeManifest(manifest));
  return folder;
}

function written(root: string, path: string, { counts: counted, late: lateRows = [] }: TaskRows) {
  const { scope, kernels } = slotContext(counts);
  const disk = createRealSyncDisk();
  const writer = new SnapshotFileWriter({
    ...{ disk, scope, kernels, folder: root, clock: { mono: () => 0 } },
  });
  writer.begin(1, path);
  const own = writer.writerOf('counts-1', 'firstRows');
  const rowsOf = (schema: Schema, rows: readonly Row[]) => {
    let left = [rows].filter(({ length }) => length > 0);
    const next = () => {
      const [now] = left;
      left = [];
      if (now === undefined) return null;
      const builder = new BatchBuilder(scope, schema);
      for (const row of now) builder.appendRow(row);
      return builder.build();
    };
    return { next, close: () => undefined };
  };
  own.rows('counts', counts, rowsOf(counts, counted));
  own.rows('late', late, rowsOf(late, lateRows));
  while (!writer.step());
  const outcome = writer.finish();
  if (outcome.kind === 'failed') throw outcome.error;
  return outcome.operators;
}

async function read(folder: string, ...args: string[]) {
  const env = fakeCliEnv({ workingFolder: folder });
  const exitCode = await stateCommand(env, ['read', ...args]);
  return { exitCode, text: env.stdout.text, told: env.stderr.text };
}

const tasks: readonly TaskRows[] = [
  {
    counts: [
      ['a "b"', 1n, 2n ** 60n],
      [null, 1n, 4n],
    ],
  },
  { counts: [['{', 2n, 5n]] },
];

test('a table of what all tasks have, from the newest checkpoint in the folder', async () => {
  const folder = await checkpointOf(tasks);
  const { exitCode, text } = await read(folder, '.', 'counts');
  expect(exitCode).toBe(0);
  expect(text).toBe(`┌───────┬─────┬─────────────────────┐
│ word  │ day │                   n │
├───────┼─────┼─────────────────────┤
│ a "b" │   1 │ 1152921504606846976 │
│ null  │   1 │                   4 │
│ {     │   2 │                   5 │
└───────┴─────┴─────────────────────┘
`);
  expect((await read(folder, 'words/chk-1-1', 'counts-1')).text).toBe(text);
});

test('for programs: NDJSON with all digits, and CSV', async () => {
  const folder = await checkpointOf(tasks);
  expect((await read(folder, '.', 'counts', '--format', 'ndjson')).text).toBe(
    '{"word":"a \\"b\\"","day":1,"n":1152921504606846976}\n{"word":null,"day":1,"n":4}\n{"word":"{","day":2,"n":5}\n',
  );
  expect((await read(folder, '.', 'counts', '--format', 'csv')).text).toBe(
    'word,day,n\n"a ""b""",1,1152921504606846976\n,1,4\n{,2,5\n',
  );
});

test('the rows of one key, nulls too, and none where there are none', async () => {
  const folder = await checkpointOf(tasks);
  const ofKey = async (key: string) =>
    (await read(folder, '.', 'counts', '--format', 'ndjson', '--key', key)).text;
  expect(await ofKey('["{", 2]')).toBe('{"word":"{","day":2,"n":5}\n');
  expect(await ofKey('[null, 1]')).toBe('{"word":null,"day":1,"n":4}\n');
  expect(await ofKey('["{", 3]')).toBe('');
  await expect(ofKey('{')).rejects.toMatchObject({ info: { code: 'STATE_KEY_INVALID' } });
});

test('several parts are told apart, or one is chosen', async () => {
  const folder = await checkpointOf([{ counts: [['a', 1n, 1n]], late: [['x'], ['{y']] }]);
  expect((await read(folder, '.', 'counts', '--format', 'ndjson')).text).toBe(
    '{"part":"counts","word":"a","day":1,"n":1}\n{"part":"late","note":"x"}\n{"part":"late","note":"{y"}\n',
  );
  expect((await read(folder, '.', 'counts')).text).toMatch(
    /^part "counts"\n┌[\s\S]*part "late"\n┌/,
  );
  expect((await read(folder, '.', 'counts', '--part', 'late', '--format', 'csv')).text).toBe(
    'note\nx\n{y\n',
  );
  const refused = [
    [['--format', 'csv'], 'FLAG_VALUE'],
    [['--part', 'early'], 'FLAG_VALUE'],
    [['--format', 'xml'], 'FLAG_VALUE'],
    [['--part', 'late', '--key', '["a", 1]'], 'STATE_KEY_INVALID'],
    [['--watch'], 'FLAG_NOT_FOUND'],
    [['--key'], 'FLAG_VALUE'],
  ] as const;
  for (const [args, code] of refused) {
    await expect(read(folder, '.', 'counts', ...args)).rejects.toMatchObject({ info: { code } });
  }
});

test('what is not there is said: no operator of the name, nothing kept, no checkpoint', async () => {
  const folder = await checkpointOf(tasks);
  await expect(read(folder, '.', 'cuonts')).rejects.toMatchObject({
    info: { code: 'OPERATOR_NOT_FOUND', hint: expect.stringContaining('Did you mean "counts"?') },
  });
  const nothing = await read(folder, '.', 'limit');
  expect([nothing.text, nothing.told]).toEqual([
    '',
    'operator "limit" has nothing in checkpoint 1\n',
  ]);
  await expect(read(join(folder, 'words'), 'log', 'counts')).rejects.toMatchObject({
    info: { code: 'CHECKPOINT_NOT_FOUND' },
  });
});
