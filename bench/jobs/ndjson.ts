/** The job of the ndjson bench: what each auction's bids add up to, from lines of NDJSON. */
import { agg, defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';

const Bid = t.struct({
  auction: t.int64(),
  bidder: t.int64(),
  price: t.int64(),
  channel: t.utf8(),
  url: t.utf8(),
  date_time: t.timestampMs(),
  extra: t.utf8(),
});

export default defineJob({
  name: 'ndjson',
  params: {
    input: t.path().describe('bids as NDJSON'),
    output: t.path().describe('the CSV file to write'),
  },
  build: ({ read, params: { input, output } }) =>
    read(files.source({ path: input, format: ndjson(Bid) }))
      .keyBy((bid) => bid.auction)
      .aggregate({ bids: agg.count(), total: agg.sum((bid) => bid.price) })
      .orderBy((row) => [row.auction.asc()])
      .writeTo(files.sink({ path: output })),
});
