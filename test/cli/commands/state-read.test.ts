/** Goal: what operators have in a checkpoint is shown as rows: in each format, of one key, and of nothing but its files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { createRealSyncDisk } from '../../../base/env/real-sync-disk.ts';
import { stateCommand } from '../../../cli/commands/state.ts';
import type { CheckpointStatistics } from '../../../coordinator/checkpoint/checkpoint-history.ts';
import { manifestOf } from '../../../coordinator/checkpoint/manifest-of.ts';
import type { AttemptStore } from '../../../coordinator/checkpoint/store/checkpoint-store.ts';
import { folderStore } from '../../../coordinator/checkpoint/store/folder-store.ts';
import { BatchBuilder } from '../../../engine/batch/batch-builder.ts';
import type { OperatorSnapshot } from '../../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../../engine/contracts/json.ts';
import type { SnapshotRows } from '../../../engine/contracts/snapshot.ts';
import type { MemoryScope } from '../../../engine/memory/slot-memory.ts';
import type { OperatorSpec, PhysicalGraph } from '../../../engine/plan/physical-graph.ts';
import {
  binaryType,
  float64Type,
  int64Type,
  uint32Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
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
const ids = schemaOf(fieldOf('id', int64Type));
const late = schemaOf(fieldOf('note', utf8Type));

type Row = readonly unknown[];
interface TaskRows {
  readonly counts: readonly Row[];
  readonly late?: readonly Row[];
}

const operators: readonly OperatorSpec[] = [
  { kind: 'firstRows', id: 'counts-1', name: 'counts', keys: ['word', 'day'], output: counts },
  { kind: 'limit', id: 'limit-1', name: 'limit', count: 3, output: ids },
  { kind: 'firstRows', id: 'keyed-1', name: 'keyed', keys: ['id'], output: ids },
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

/** A folder of checkpoints with one of some tasks. */
async function checkpointOf(tasks: readonly TaskRows[]): Promise<string> {
  const { folder, attempt } = await begun();
  const kept = tasks.map(({ counts: rows, late: lateRows = [] }, task) => {
    const path = `${attempt.folderOf(1)}/${task}.arrow`;
    const parts = { counts: [counts, rows], late: [late, lateRows] } as const;
    return write(attempt.root, path, { operatorId: 'counts-1', parts });
  });
  await complete(attempt, kept);
  return folder;
}

async function begun() {
  const folder = tempFolder();
  const store = folderStore(createRealEnv(), { folder, jobName: 'words' });
  return { folder, attempt: await store.beginAttempt({ kind: 'latest' }) };
}

/** @param kept - By task. */
async function complete(attempt: AttemptStore, kept: readonly (readonly OperatorSnapshot[])[]) {
  const snapshots = kept.map((own, taskIndex) => ({
    ...{ taskId: `v1[${taskIndex}]`, vertexId: 'v1', taskIndex, parallelism: kept.length },
    ...{ operators: own, source: null, prepared: null },
    statistics: { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 },
  }));
  const statistics: CheckpointStatistics = {
    ...{ checkpointId: 1, kind: 'checkpoint', durationMs: 1, sizeBytes: 2, missing: [], tasks: [] },
  };
  const collected = { checkpointId: 1, checkpointKind: 'checkpoint', writes: [] } as const;
  const facts = { graph, jobFingerprint: '', writtenBy: '', epoch: 1, nowMs: 0, splits: {} };
  const manifest = manifestOf(
    { ...collected, snapshots, statistics },
    { ...facts, declared: [], keyGroupCount: 8 },
  );
  await attempt.complete(await attempt.writeManifest(manifest));
}

interface Kept {
  readonly operatorId: string;
  readonly parts: Readonly<Record<string, readonly [Schema, readonly Row[]]>>;
}

/** Writes what one task has of an operator. */
function write(folder: string, path: string, { operatorId, parts }: Kept) {
  const { scope, kernels } = slotContext(counts);
  const disk = createRealSyncDisk();
  const clock = { mono: () => 0 };
  const writer = new SnapshotFileWriter({ disk, scope, kernels, folder, clock });
  writer.begin(1, path);
  const own = writer.writerOf(operatorId, 'process');
  for (const [name, [schema, rows]] of Object.entries(parts)) {
    own.rows(name, schema, rowsOf(scope, schema, rows));
  }
  while (!writer.step());
  const outcome = writer.finish();
  if (outcome.kind === 'failed') throw outcome.error;
  return outcome.operators;
}

function rowsOf(scope: MemoryScope, schema: Schema, rows: readonly Row[]): SnapshotRows {
  let left = rows.length;
  const next = () => {
    if (left === 0) return null;
    left = 0;
    const builder = new BatchBuilder(scope, schema);
    for (const row of rows) builder.appendRow(row);
    return builder.build();
  };
  return { next, close: () => undefined };
}

/** By part: its schema, then rows of one snapshot after the other. */
type Parts = Readonly<Record<string, readonly [Schema, ...(readonly Row[])[]]>>;

/** As a manifest has it. */
function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

/** What one task has of keyed state: a file for each snapshot of a part. */
async function keyedCheckpoint({ note, parts }: { note: Json; parts: Parts }): Promise<string> {
  const { folder, attempt } = await begun();
  const files = Object.entries(parts).flatMap(([name, [schema, ...snapshots]]) =>
    snapshots.flatMap((rows, index) => {
      const path = `${attempt.folderOf(1)}/${name}-${index}.arrow`;
      return write(attempt.root, path, {
        operatorId: 'keyed-1',
        parts: { [name]: [schema, rows] },
      });
    }),
  );
  const all = files.flatMap((one) => one.parts);
  await complete(attempt, [[{ operatorId: 'keyed-1', kind: 'process', note, parts: all }]]);
  return folder;
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

test.each(['csv', 'ndjson', 'arrow', 'arrows', 'parquet'])(
  'a part as a %s file',
  async (format) => {
    const folder = await checkpointOf([{ counts: [['a', 1n, 1n]], late: [['x'], ['{y']] }]);
    const file = `late.${format}`;
    const path = join(folder, file);
    await read(folder, '.', 'counts', '--part', 'late', '--output', file);
    const bytes = readFileSync(path);
    if (format === 'csv') expect(bytes.toString()).toBe('note\nx\n{y\n');
    if (format === 'ndjson') expect(bytes.toString()).toBe('{"note":"x"}\n{"note":"{y"}\n');
    if (format.startsWith('arrow')) {
      expect(
        tableFromIPC(bytes)
          .toArray()
          .map(({ note }) => note),
      ).toEqual(['x', '{y']);
    }
    if (format === 'parquet') expect(bytes.subarray(0, 4).toString()).toBe('PAR1');
    // A file has room for one part.
    await expect(read(folder, '.', 'counts', '--output', 'all.csv')).rejects.toMatchObject({
      info: { code: 'FLAG_VALUE' },
    });
  },
);

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

/** Rows of keyed state, as tasks write them: key and value are bytes (docs/formats/snapshot.md). */
const entryRows = schemaOf(
  ...[fieldOf('keyGroup', uint32Type), fieldOf('hash', uint32Type), fieldOf('key', binaryType)],
  ...[fieldOf('subKey', binaryType), fieldOf('value', binaryType, true)],
  fieldOf('expiresAtMs', float64Type),
);
const timerRows = schemaOf(
  ...[fieldOf('keyGroup', uint32Type), fieldOf('hash', uint32Type), fieldOf('key', binaryType)],
  fieldOf('timeMs', float64Type),
);

/** Numbers as bytes, each of so many. */
function bytes(...numbers: readonly (readonly [size: 1 | 4 | 8, value: number])[]): Uint8Array {
  const all = new DataView(new ArrayBuffer(numbers.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of numbers) {
    if (size === 1) all.setUint8(at, value);
    if (size === 4) all.setUint32(at, value, true);
    if (size === 8) all.setBigInt64(at, BigInt(value), true);
    at += size;
  }
  return new Uint8Array(all.buffer);
}

test('keyed state is shown by its types: values, lists, maps and timers, the last of each entry', async () => {
  const never = Number.POSITIVE_INFINITY;
  const key = (value: number) => bytes([8, value]);
  const entry = (k: number, sub: Uint8Array, value: Uint8Array | null, expires = never): Row => [
    ...[1, 2, key(k), sub, value, expires],
  ];
  const int64 = { ...fieldOf('v', int64Type) };
  const states = [
    { name: 'total', kind: 'value', value: int64, key: null },
    { name: 'last', kind: 'list', value: int64, key: null },
    { name: 'byUser', kind: 'map', value: int64, key: int64 },
  ];
  const parts: Parts = {
    'state-total': [
      entryRows,
      [entry(1, bytes(), key(10)), entry(2, bytes(), key(20)), entry(3, bytes(), key(30))],
      [entry(1, bytes(), key(11), 99), entry(2, bytes(), null)],
    ],
    'state-last': [
      entryRows,
      [entry(1, bytes(), bytes([4, 1], [4, 3])), entry(1, bytes([4, 0]), key(7))],
      [entry(1, bytes([4, 1]), key(8)), entry(1, bytes([4, 2]), key(9))],
    ],
    'state-byUser': [
      entryRows,
      [
        entry(1, bytes([8, 5], [1, 1]), bytes([4, 0], [8, 50])),
        entry(1, bytes([4, 0], [1, 2]), key(5)),
      ],
    ],
    eventTimers: [timerRows, [[1, 2, key(1), 1_000]], [[1, 2, key(1), 2_000]]],
  };
  const folder = await keyedCheckpoint({ note: asJson({ nowMs: null, state: { states } }), parts });
  const lines = async (...args: string[]) =>
    (await read(folder, '.', 'keyed', '--format', 'ndjson', ...args)).text.trimEnd().split('\n');
  expect(await lines('--part', 'state-total')).toEqual([
    '{"id":1,"value":11,"expiresAtMs":99}',
    '{"id":3,"value":30,"expiresAtMs":null}',
  ]);
  expect(await lines('--part', 'state-last')).toEqual([
    '{"id":1,"index":1,"value":8,"expiresAtMs":null}',
    '{"id":1,"index":2,"value":9,"expiresAtMs":null}',
  ]);
  expect(await lines('--part', 'state-byUser')).toEqual([
    '{"id":1,"mapKey":5,"value":50,"expiresAtMs":null}',
  ]);
  expect(await lines('--part', 'eventTimers')).toEqual([
    '{"id":1,"timeMs":1000}',
    '{"id":1,"timeMs":2000}',
  ]);
  expect(await lines('--key', '3')).toEqual([
    '{"part":"state-total","id":3,"value":30,"expiresAtMs":null}',
  ]);
});
