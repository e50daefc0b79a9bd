/**
 * Access log: hits, failures and bytes per hour and path, from web logs in the combined format that
 * Apache and nginx write.
 *
 *     203.0.113.9 - ann [26/Nov/2026:10:15:01 +0100] "GET /a?b=1 HTTP/1.1" 200 5120 "-" "Mozilla/5.0"
 *
 * A line is taken apart by a function. Lines that are no log lines go to a file of their own, and those
 * that are not even text to another, so that no line is lost and none ends the job.
 */
import { agg, defineJob, t } from 'millrace';
import { csv, files, ndjson, text } from 'millrace/files';

const Hit = t.struct({
  hour: t.timestampMs(),
  path: t.utf8(),
  status: t.int16(),
  failures: t.int32(),
  bytes: t.int64({ js: 'number' }),
});

interface HitRow {
  readonly hour: number;
  readonly path: string;
  readonly status: number;
  readonly failures: number;
  readonly bytes: number;
}

const line =
  /^\S+ \S+ \S+ \[(\d\d)\/(\w{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\] "[A-Z]+ ([^ ?"]+)[^"]*" (\d{3}) (\d+|-)/;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What a line of the log says; null where it is none. */
export function hitOf(text: string): HitRow | null {
  const match = line.exec(text);
  if (match === null) return null;
  const [, day, monthName = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = match;
  const month = months.indexOf(monthName);
  if (month < 0) return null;
  const local = Date.UTC(
    Number(year),
    month,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * minuteMs;
  const moment = sign === '-' ? local + zone : local - zone;
  const status = Number(match[11]);
  return {
    hour: Math.floor(moment / hourMs) * hourMs,
    path: match[10] ?? '',
    status,
    failures: status >= 500 ? 1 : 0,
    bytes: match[12] === '-' ? 0 : Number(match[12]),
  };
}

export default defineJob({
  name: 'access-log',
  params: {
    input: t.path().describe('a log, a folder or a glob of logs; .gz and .zst are decompressed'),
    output: t.path().default('hits.csv').describe('the CSV file of hits per hour and path'),
    statuses: t.path().default('statuses.csv').describe('the CSV file of hits per status'),
    bad: t.path().default('bad-lines.ndjson').describe('the file of lines that are no log lines'),
    unreadable: t
      .path()
      .default('unreadable.ndjson')
      .describe('the file of lines that are not UTF-8'),
  },
  build: ({ read, params: { input, output, statuses, bad, unreadable } }) => {
    const lines = read(files.source({ path: input, format: text() }), {
      deadLetters: files.sink({ path: unreadable, format: ndjson() }),
    });
    const hits = lines.flatMap(Hit, (row) => {
      const hit = hitOf(row.text);
      return hit === null ? [] : [hit];
    });
    return [
      hits
        .keyBy((hit) => [hit.hour, hit.path])
        .aggregate({
          hits: agg.count(),
          failures: agg.sum((hit) => hit.failures),
          bytes: agg.sum((hit) => hit.bytes),
        })
        .orderBy((row) => [row.hour.asc(), row.hits.desc(), row.path.asc()])
        .writeTo(files.sink({ path: output, format: csv() })),
      hits
        .keyBy((hit) => hit.status)
        .aggregate({ hits: agg.count() })
        .orderBy((row) => [row.status.asc()])
        .writeTo(files.sink({ path: statuses, format: csv() })),
      lines
        .filter((row) => hitOf(row.text) === null)
        .writeTo(files.sink({ path: bad, format: ndjson() })),
    ];
  },
});
