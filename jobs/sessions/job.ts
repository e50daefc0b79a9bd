/**
 * Sessions: visits of a site, made of its clicks. A visit ends when a user has not clicked for a while; clicks that come late,
 * within limits, still join their visit, or join two visits into one.
 */
import { agg, defineJob, session, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Click = t.struct({ user: t.utf8(), page: t.utf8(), at: t.timestampMs() });

export default defineJob({
  name: 'sessions',
  mode: 'streaming',
  params: {
    input: t.path().describe('a file, a folder or a glob of clicks as NDJSON: user, page, at'),
    gap: t
      .int64({ js: 'number' })
      .default(1800)
      .describe('seconds without a click that end a visit'),
    late: t.int64({ js: 'number' }).default(60).describe('seconds that a click may come late'),
    output: t.path().default('sessions.ndjson').describe('the file to write: .ndjson or .csv'),
  },
  build: ({ read, params: { input, gap, late, output } }) =>
    read(files.source({ path: input, format: ndjson(Click) }))
      .eventTime((click) => click.at, { outOfOrdernessMs: late * 1000 })
      .keyBy((click) => click.user)
      .window(session({ gapMs: gap * 1000 }))
      .aggregate({
        clicks: agg.count(),
        last: agg.max((click) => click.at),
      })
      .select(({ user, windowStart, last, clicks }) => ({
        user,
        from: windowStart,
        to: last,
        seconds: last.epochSeconds().sub(windowStart.epochSeconds()),
        clicks,
      }))
      .writeTo(files.sink({ path: output })),
});
