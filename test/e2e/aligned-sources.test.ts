/** Goal: in real threads sources that stay together in event time give the rows of the batch job, one of them paced as well. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli, summaryOf } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = `
  import { agg, defineJob, t, tumbling } from 'millrace';
  import { files, ndjson } from 'millrace/files';

  const Event = t.struct({ n: t.int32(), at: t.timestampMs() });

  export default defineJob({
    name: 'aligned',
    params: { output: t.path(), few: t.float64().optional() },
    build: ({ read, params }) => {
      const streamOf = (path, rate) =>
        read(files.source({ path, format: ndjson(Event) }), { rate })
          .eventTime((row) => row.at, { alignment: { group: 'both', driftMs: 2_000 } });
      return streamOf('many.ndjson')
        .union(streamOf('few.ndjson', params.few))
        .keyBy((row) => ({ key: row.n.mod(3) }))
        .window(tumbling({ sizeMs: 10_000 }))
        .aggregate({ rows: agg.count(), sum: agg.sum((row) => row.n) })
        .writeTo(files.sink({ path: params.output }));
    },
  });
`;

function linesOf(count: number, stepMs: number): string {
  const lines = Array.from({ length: count }, (_, n) =>
    JSON.stringify({ n, at: new Date(n * stepMs) }),
  );
  return lines.join('\n');
}

test('a stream of two sources, of which one has many more rows and the other comes slowly', async () => {
  const folder = tempFolder({
    'job.ts': job,
    'many.ndjson': linesOf(40_000, 10),
    'few.ndjson': linesOf(200, 2_000),
  });
  const run = async (output: string, ...flags: string[]) => {
    const args = ['run', 'job.ts', '--output', output, '--parallelism', '2', '--json', ...flags];
    return summaryOf(await runCli(args, { cwd: folder }));
  };
  const stream = await run('stream.csv', '--execution-mode', 'streaming', '--few', '200');
  expect(stream).toMatchObject({ status: 'finished', rowsIn: 40_200 });
  await run('batch.csv', '--execution-mode', 'batch');
  const rowsOf = (name: string) => readFileSync(join(folder, name), 'utf8').split('\n').sort();
  expect(rowsOf('stream.csv')).toEqual(rowsOf('batch.csv'));
});
