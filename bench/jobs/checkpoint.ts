/**
 * The job of the checkpoint bench: a running sum per key, of which one in 8,192 goes out.
 *
 * How many rows have been summed up is told in a file, for what a job says of itself ends with it when it is killed: a line
 * for each 8,192 rows of a thread, with the time, and one for its first row.
 */
import { appendFileSync } from 'node:fs';
import { defineJob, state, t } from 'millrace';
import { columnar, files } from 'millrace/files';

const Row = t.struct({ key: t.int64({ js: 'number' }) });
const Sum = t.struct({ key: t.int64({ js: 'number' }), sum: t.int64({ js: 'number' }) });
const rowsPerLine = 8192;

/** Of this thread. */
let rowCount = 0;

export default defineJob({
  name: 'checkpoint-bench',
  mode: 'streaming',
  params: {
    input: t.path().describe('a folder of Arrow files with keys'),
    output: t.path().describe('the folder for sums'),
    progress: t.path().describe('a file that lines are added to'),
    busy: t.int64({ js: 'number' }).default(0).describe('microseconds that each row takes'),
  },
  build: ({ read, params: { input, output, progress, busy } }) =>
    read(files.source({ path: `${input}/*.arrow`, format: columnar(Row) }))
      .keyBy((row) => row.key)
      .process({
        state: { sum: state.value(t.int64({ js: 'number' })) },
        output: Sum,
        onRow({ key }, { state: { sum }, emit }) {
          const now = (sum.get() ?? 0) + 1;
          sum.set(now);
          if (busy > 0) keepBusy(busy);
          const isFirst = rowCount++ === 0;
          if (!isFirst && rowCount % rowsPerLine > 0) return;
          appendFileSync(progress, `${Date.now()} ${isFirst ? 0 : rowsPerLine}\n`);
          emit({ key, sum: now });
        },
      })
      .writeTo(files.sink({ path: output, format: 'ndjson' })),
});

function keepBusy(microseconds: number): void {
  const end = performance.now() + microseconds / 1000;
  while (performance.now() < end);
}
