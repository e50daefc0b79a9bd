/**
 * Goal: a job that joins a stream with a side that ends, and whose control stream ends, goes on from its checkpoints: killed
 * again and again, at other parallelisms, it counts each entry once.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runKilled } from '../support/killed-ledger.ts';
import { nothingWrong } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The ledger, with factors and a bonus that change nothing: 1 and 0, from sides that are read first. */
const job = `
import { agg, defineJob, state, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Entry = t.struct({ id: t.int64(), key: t.utf8(), amount: t.int64() });
const Line = t.struct({ id: t.int64(), key: t.utf8(), sum: t.int64() });
const Factor = t.struct({ owner: t.utf8(), factor: t.int64() });
const Bonus = t.struct({ name: t.utf8(), bonus: t.int64() });

export default defineJob({
  name: 'ledger',
  mode: 'streaming',
  params: { input: t.path(), output: t.path() },
  build: ({ read, params: { input, output } }) => {
    const factors = read(files.source({ path: 'factors.ndjson', format: ndjson(Factor) }))
      .keyBy((row) => row.owner)
      .aggregate({ factor: agg.max((row) => row.factor) });
    return read(files.source({ path: input, format: ndjson(Entry), split: false }))
      .join(factors, { on: (entry, factor) => entry.key.eq(factor.owner) })
      .keyBy((entry) => entry.key)
      .process({
        state: {
          sum: state.value(t.int64()),
          bonuses: state.broadcast(t.utf8(), t.int64()),
        },
        output: Line,
        control: read(files.source({ path: 'bonuses.ndjson', format: ndjson(Bonus) })),
        onControl({ name, bonus }, { state: { bonuses } }) {
          bonuses.set(name, (bonuses.get(name) ?? 0n) + bonus);
        },
        onRow({ id, key, amount, factor }, { state: { sum, bonuses }, emit }) {
          // Were the bonus of 1 written twice, or not at all, all sums would be wrong.
          const now = (sum.get() ?? 0n) + amount * factor + (bonuses.get('all') ?? 0n) - 1n;
          sum.set(now);
          emit({ id, key, sum: now });
        },
      })
      .writeTo(files.sink({ path: output, format: 'ndjson' }));
  },
});
`;

test.each(['aligned', 'unaligned'])(
  '%s: three kills, and no entry is lost or counted twice',
  async (mode) => {
    const choice = { count: 24_000, fileCount: 3, keysPerFile: 200, seed: 17 };
    const folder = tempFolder({ 'job.ts': job });
    const owners = Array.from({ length: choice.fileCount }, (_, file) =>
      Array.from({ length: choice.keysPerFile }, (_key, key) => `${file}-${key}`),
    ).flat();
    // Two rows for each owner, which become one.
    const factors = owners.flatMap((owner) => [0, 1].map((factor) => ({ owner, factor })));
    const lines = (rows: readonly object[]) =>
      rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    writeFileSync(join(folder, 'factors.ndjson'), lines(factors));
    writeFileSync(join(folder, 'bonuses.ndjson'), lines([{ name: 'all', bonus: 1 }]));
    const { audit, killedCount, lastRowsIn } = await runKilled({
      ...{ folder, killCount: 3, choice, job: join(folder, 'job.ts') },
      ...{
        rate: 3_000,
        lifeMsMax: 600,
        lifeFrom: 'checkpoint',
        flags: ['--checkpoint-mode', mode],
      },
    });
    const { lineCount, ...found } = audit;
    expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
    expect(killedCount).toBe(3);
    // It went on from a checkpoint, and the sides that had ended were not read again.
    expect(lastRowsIn).toBeLessThan(choice.count);
  },
);
