/**
 * Goal: a job whose thread dies in the middle goes on from its newest checkpoint within the same process, and each entry
 * counts once.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CheckpointsView } from '../../coordinator/job/checkpoints-view.ts';
import { runCli, summaryOf } from '../support/cli-process.ts';
import { auditLedger, nothingWrong, writeEntries } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The ledger, whose thread ends itself at one entry, as long as a file is not there. */
const job = `
import { existsSync, writeFileSync } from 'node:fs';
import { defineJob, state, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Entry = t.struct({ id: t.int64(), key: t.utf8(), amount: t.int64() });
const Line = t.struct({ id: t.int64(), key: t.utf8(), sum: t.int64() });

export default defineJob({
  name: 'mortal',
  mode: 'streaming',
  params: { input: t.path(), output: t.path(), marker: t.path(), mortal: t.int64() },
  build: ({ read, params: { input, output, marker, mortal } }) =>
    read(files.source({ path: input, format: ndjson(Entry), split: false }))
      .keyBy((entry) => entry.key)
      .process({
        state: { sum: state.value(t.int64()) },
        output: Line,
        onRow({ id, key, amount }, { state: { sum }, emit }) {
          if (id === mortal && !existsSync(marker)) {
            writeFileSync(marker, '');
            process.exit(3);
          }
          const now = (sum.get() ?? 0n) + amount;
          sum.set(now);
          emit({ id, key, sum: now });
        },
      })
      .writeTo(files.sink({ path: output, format: 'ndjson' })),
});
`;

const choice = { count: 20_000, fileCount: 3, keysPerFile: 100, seed: 5 };

async function run(folder: string, mortal: number) {
  const file = join(folder, 'job.ts');
  writeFileSync(file, job);
  writeEntries(join(folder, 'in'), choice);
  return await runCli(
    [
      ...['run', file, '--input', 'in/', '--output', 'out/', '--marker', 'died', '--json'],
      ...['--mortal', String(mortal), '--rate', '10000', '--parallelism', '2'],
      ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '100ms'],
    ],
    { cwd: folder },
  );
}

test('a thread that dies takes no entry with it', async () => {
  const folder = tempFolder();
  const { restarts, checkpoints } = summaryOf(await run(folder, 15_000));
  expect(restarts).toMatchObject({ count: 1, last: [{ code: 'THREAD_DIED' }] });
  // Of both attempts: one with the entries before, one with those behind.
  const { counts, ended } = checkpoints as CheckpointsView;
  expect(counts.committed).toBeGreaterThan(1);
  expect(new Set(ended.map(({ epoch }) => epoch))).toEqual(new Set([1, 2]));
  expect(ended.at(-1)).toMatchObject({ kind: 'final', state: 'committed' });
  expect(existsSync(join(folder, 'died'))).toBe(true);
  const { lineCount, ...found } = auditLedger(join(folder, 'out'), choice);
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
});
