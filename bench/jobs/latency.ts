/**
 * The two jobs of the latency bench, over bids at a rate: `stateless` computes a column and drops rows, `windowed` counts
 * by auction and second. Event time goes as the clock does, and no row is out of order.
 */
import { agg, defineJob, lit, t, tumbling } from 'millrace';
import { files } from 'millrace/files';
import { nexmark } from 'millrace/generator';

export default defineJob({
  name: 'latency',
  mode: 'streaming',
  params: {
    question: t.utf8().choices('stateless', 'windowed'),
    events: t.int64({ js: 'number' }).describe('events of all kinds'),
    output: t.path(),
  },
  build: ({ read, params: { question, events, output } }) => {
    const bids = read(nexmark.bids({ events })).eventTime((bid) => bid.date_time);
    if (question === 'stateless') {
      return bids
        .where((bid) => bid.auction.mod(123).eq(0))
        .derive((bid) => ({ euros: bid.price.mul(lit(0.908)) }))
        .writeTo(files.sink({ path: output }));
    }
    return bids
      .keyBy((bid) => bid.auction)
      .window(tumbling({ sizeMs: 1_000 }))
      .aggregate({ bids: agg.count() })
      .writeTo(files.sink({ path: output }));
  },
});
