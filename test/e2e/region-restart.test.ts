/**
 * Goal: a thread that dies takes only the tasks in it along: their regions go on from the newest checkpoint, those in the other
 * thread never stop, and each row is there once.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CheckpointsView, RestartsView } from '../../coordinator/job/checkpoints-view.ts';
import { runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Two pipelines without an exchange; the thread at one row ends itself, as long as a file is not there. */
const job = `
import { existsSync, writeFileSync } from 'node:fs';
import { defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Row = t.struct({ id: t.int64() });

export default defineJob({
  name: 'twins',
  mode: 'streaming',
  params: { marker: t.path(), mortal: t.int64() },
  build: ({ read, params: { marker, mortal } }) =>
    ['a', 'b'].map((name) =>
      read(files.source({ path: 'in-' + name + '/', format: ndjson(Row), split: false }))
        .flatMap(Row, (row) => {
          if (row.id === mortal && !existsSync(marker)) {
            writeFileSync(marker, '');
            process.exit(3);
          }
          return [row];
        })
        .writeTo(files.sink({ path: 'out-' + name + '/', format: 'ndjson' })),
    ),
});
`;

const rowsPerFile = 4_000;

/** Each pipeline has two files, the first of which the first of its tasks reads. */
function writeInput(folder: string): void {
  let id = 0;
  for (const name of ['in-a', 'in-b']) {
    mkdirSync(join(folder, name));
    for (const file of ['0.ndjson', '1.ndjson']) {
      const lines = Array.from({ length: rowsPerFile }, () => `{"id":${id++}}\n`);
      writeFileSync(join(folder, name, file), lines.join(''));
    }
  }
}

/** By task of a sink: which of its tries have written a part, and the ids. */
function outputOf(folder: string, name: string) {
  const tries: Record<string, Set<string>> = {};
  const ids: number[] = [];
  for (const file of readdirSync(join(folder, name))) {
    const [, task = '', number = ''] = /^part-(\d+)-.*-(\d+)\.ndjson$/.exec(file) ?? [];
    tries[task] = (tries[task] ?? new Set()).add(number);
    const lines = readFileSync(join(folder, name, file), 'utf8')
      .trimEnd()
      .split('\n');
    ids.push(...lines.map((line) => JSON.parse(line).id));
  }
  return { tries, ids };
}

test('two pipelines run beside each other, and a thread that dies is the end of no task in the other one', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'job.ts'), job);
  writeInput(folder);
  const result = await runCli(
    [
      ...['run', 'job.ts', '--marker', 'died', '--mortal', '2500', '--json'],
      ...['--rate', '4000', '--parallelism', '2'],
      ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '100ms'],
    ],
    { cwd: folder },
  );
  const { restarts, checkpoints } = summaryOf(result);
  expect(existsSync(join(folder, 'died'))).toBe(true);
  // Those of both pipelines in the first slot; one failure of the job.
  const { count, last } = restarts as RestartsView;
  expect(count).toBe(1);
  expect(last[0]?.code).toBe('THREAD_DIED');
  expect([...(last[0]?.taskIds ?? [])].sort()).toEqual(['v1[0]', 'v2[0]']);
  // All within one attempt of the job, and checkpoints of both pipelines together before and behind it.
  const { ended, counts } = checkpoints as CheckpointsView;
  expect(new Set(ended.map(({ epoch }) => epoch))).toEqual(new Set([1]));
  expect(counts.committed).toBeGreaterThan(1);
  const seen = ['out-a', 'out-b'].map((name) => outputOf(folder, name));
  for (const { tries } of seen) {
    expect(tries['00000']).toContain('2');
    expect(tries['00001']).toEqual(new Set(['1']));
  }
  const ids = seen.flatMap((one) => one.ids).sort((a, b) => a - b);
  expect(ids).toEqual(Array.from({ length: 4 * rowsPerFile }, (_, id) => id));
});
