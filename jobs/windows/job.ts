/**
 * Windows: how many values each key has in each window of event time, their sum, least and largest. The plainest
 * job with windows, and the one that is measured.
 */
import { agg, type BuildContext, defineJob, t, tumbling } from 'millrace';
import { columnar, files } from 'millrace/files';

const Row = t.struct({ key: t.int32(), value: t.float64(), ts: t.int64({ js: 'number' }) });

/** `500ms`, `10s`, `5m` or `1h` as milliseconds. */
const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function millisecondsOf(size: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h)$/.exec(size) ?? [];
  if (count === undefined || unit === undefined) {
    throw new Error(`--size: "${size}" is no duration; write 10s, 500ms, 5m or 1h`);
  }
  return Number(count) * units[unit as keyof typeof units];
}

interface Rows {
  readonly input: string;
  readonly format: string;
  readonly sizeMs: number;
}

/** Count, sum, least and largest value of each key and window. */
export function windowsOf(
  { input, format, sizeMs }: Rows,
  { read }: Pick<BuildContext<unknown>, 'read'>,
) {
  return read(files.source({ path: `${input}/*.${format}`, format: columnar(Row) }))
    .derive((row) => ({ at: row.ts.cast(t.timestampMs()) }))
    .eventTime((row) => row.at)
    .keyBy((row) => row.key)
    .window(tumbling({ sizeMs }))
    .aggregate({
      c: agg.count(),
      s: agg.sum((row) => row.value),
      mn: agg.min((row) => row.value),
      mx: agg.max((row) => row.value),
    })
    .select(({ key, windowStart, c, s, mn, mx }) => {
      return { key, ws: windowStart.epochMs(), c, s, mn, mx };
    });
}

export default defineJob({
  name: 'windows',
  mode: 'streaming',
  params: {
    input: t.path().describe('a folder of rows with key, value and ts, in milliseconds since 1970'),
    format: t.utf8().choices('parquet', 'arrow').default('parquet').describe('of the input'),
    size: t.utf8().default('10s').describe('of a window: 10s, 500ms, 5m, 1h'),
    output: t.path().default('out/').describe('the folder to write, or a file'),
  },
  build: ({ read, params: { input, format, size, output } }) =>
    windowsOf({ input, format, sizeMs: millisecondsOf(size) }, { read }).writeTo(
      files.sink({ path: output }),
    ),
});
