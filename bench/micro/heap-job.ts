/** The job whose heap is measured: bids from NDJSON, filtered, computed with, grouped, and written. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { agg, defineJob, t } from 'millrace';
import { files, ndjson } from 'millrace/files';
import { buildJob } from '../../engine/api/build-job.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';

const Bid = t.struct({
  auction: t.int64(),
  price: t.float64(),
  channel: t.utf8(),
  at: t.timestampMs(),
  note: t.utf8().nullable(),
});

/** Bids of `few` auctions (1,000) or of `many`: half as many as bids. */
export function writeBids(path: string, rowCount: number, shape: 'few' | 'many'): void {
  const file = openSync(path, 'w');
  const auctions = shape === 'few' ? 1000 : rowCount / 2;
  for (let row = 0; row < rowCount; ) {
    let text = '';
    for (const end = Math.min(rowCount, row + 10_000); row < end; row++) {
      const auction = (row * 7919) % auctions;
      const note = row % 3 === 0 ? 'null' : `"note of row ${row % 977}"`;
      text += `{"auction":${auction},"price":${row % 5000}.25,"channel":"channel-${row % 40}","at":"2026-11-26T10:30:${10 + (row % 50)}Z","note":${note}}\n`;
    }
    writeSync(file, text);
  }
  closeSync(file);
}

export function bidsJob({ input, output }: { input: string; output: string }): LogicalGraph {
  const job = defineJob({
    name: 'heap',
    build: ({ read }) =>
      read(files.source({ path: input, format: ndjson(Bid) }))
        .where((bid) => bid.price.gt(100).and(bid.channel.ne('channel-7')))
        .derive((bid) => ({ fee: bid.price.mul(0.01), label: bid.channel.upper() }))
        .keyBy((bid) => [bid.auction, bid.label])
        .aggregate({
          bids: agg.count(),
          fees: agg.sum((bid) => bid.fee),
          last: agg.max((bid) => bid.at),
        })
        .writeTo(files.sink({ path: output })),
  });
  return buildJob(job, {}).graph;
}
