/**
 * Ledger: what has been put on and taken off each key, summed up entry by entry in the order of its file.
 *
 * The sums are state, one per key, and each entry gives a line with the sum behind it. Files are not cut, so a key that
 * is in one file only comes in that file's order, whichever threads read. With checkpoints the job may be killed at any
 * moment and goes on without an entry lost, or counted twice.
 */
import { defineJob, state, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Entry = t.struct({ id: t.int64(), key: t.utf8(), amount: t.int64() });
const Line = t.struct({ id: t.int64(), key: t.utf8(), sum: t.int64() });

export default defineJob({
  name: 'ledger',
  mode: 'streaming',
  params: {
    input: t.path().describe('a file, a folder or a glob of entries as NDJSON'),
    output: t.path().describe('the folder to write, with a "/" at its end'),
  },
  build: ({ read, params: { input, output } }) =>
    read(files.source({ path: input, format: ndjson(Entry), split: false }))
      .keyBy((entry) => entry.key)
      .process({
        state: { sum: state.value(t.int64()) },
        output: Line,
        onRow({ id, key, amount }, { state: { sum }, emit }) {
          const now = (sum.get() ?? 0n) + amount;
          sum.set(now);
          emit({ id, key, sum: now });
        },
      })
      .writeTo(files.sink({ path: output, format: 'ndjson' })),
});
