/** Bids: a stream with columns of every type, for the tests of the job builder. */
import { defineJob, type JobOutputs, type SourceOf, type Stream, t } from 'millrace';
import { type BuiltJob, buildJob } from '../../../engine/api/build-job.ts';
import type { ColumnsOf } from '../../../engine/api/value-type.ts';

const Bid = t.struct({
  user: t.utf8().nullable(),
  url: t.utf8(),
  price: t.float64(),
  auction: t.int64(),
  small: t.int32(),
  isOpen: t.bool(),
  at: t.timestampMs(),
  exact: t.timestampUs(),
});

type BidColumns = ColumnsOf<typeof Bid.fields>;

const bidSource: SourceOf<BidColumns> = {
  connector: 'bids',
  options: {},
  schema: Bid.schema,
};

/** A stream of bids, outside of any job. */
export function bids(): Stream<BidColumns> {
  let stream: Stream<BidColumns> | null = null;
  const job = defineJob({
    name: 'bids',
    build: ({ read }) => {
      stream = read(bidSource);
      return stream.writeTo({ connector: 'none', options: {}, isParallel: true });
    },
  });
  buildJob(job, {});
  if (stream === null) throw new Error('build was not called');
  return stream;
}

/** The built job of a stream. */
export function buildOf(build: () => JobOutputs): BuiltJob {
  return buildJob(defineJob({ name: 'test', build }), {});
}
