/**
 * Hot items: how many bids each auction gets in each window of time, the busiest auctions first.
 *
 * Bids come from NDJSON files, or from the generator of the Nexmark benchmark. Windows are of the
 * bids' own time, so the order in which they are read does not matter.
 */
import { agg, defineJob, t, tumbling } from 'millrace';
import { files, ndjson } from 'millrace/files';
import { Bid, nexmark } from 'millrace/generator';

export default defineJob({
  name: 'hot-items',
  params: {
    input: t.path().optional().describe('a file, a folder or a glob of bids as NDJSON'),
    events: t
      .int64({ js: 'number' })
      .optional()
      .describe('without input: make so many events of Nexmark, 46 of 50 are bids'),
    size: t.int64({ js: 'number' }).default(10).describe('seconds of a window'),
    output: t.path().default('hot-items.ndjson').describe('the file to write: .ndjson or .csv'),
  },
  build: ({ read, params: { input, events = 1_000_000, size, output } }) => {
    const bids =
      input === undefined
        ? nexmark.bids({ events })
        : files.source({ path: input, format: ndjson(Bid) });
    return read(bids)
      .eventTime((bid) => bid.date_time)
      .keyBy((bid) => bid.auction)
      .window(tumbling({ sizeMs: size * 1000 }))
      .aggregate({ bids: agg.count(), top: agg.max((bid) => bid.price) })
      .orderBy((row) => [row.windowStart.asc(), row.bids.desc(), row.auction.asc()])
      .writeTo(files.sink({ path: output }));
  },
});
