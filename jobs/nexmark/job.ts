/**
 * Nexmark: the queries of the streaming benchmark, over an online auction's persons, auctions and bids. Each query
 * is a file of its own, from the streams of events to the rows of the answer.
 *
 * Before: jobs/nexmark/events.ts
 */
import { defineJob, t } from 'millrace';
import { files } from 'millrace/files';
import { eventsOf } from './events.ts';
import { q0 } from './queries/q0.ts';
import { q1 } from './queries/q1.ts';
import { q2 } from './queries/q2.ts';
import { q3 } from './queries/q3.ts';
import { q4 } from './queries/q4.ts';
import { q5 } from './queries/q5.ts';
import { q6 } from './queries/q6.ts';
import { q7 } from './queries/q7.ts';
import { q8 } from './queries/q8.ts';
import { q9 } from './queries/q9.ts';
import { q10 } from './queries/q10.ts';
import { q11 } from './queries/q11.ts';
import { q12 } from './queries/q12.ts';
import { q13 } from './queries/q13.ts';
import { q14 } from './queries/q14.ts';
import { q15 } from './queries/q15.ts';
import { q16 } from './queries/q16.ts';
import { q17 } from './queries/q17.ts';
import { q18 } from './queries/q18.ts';
import { q19 } from './queries/q19.ts';
import { q20 } from './queries/q20.ts';
import { q21 } from './queries/q21.ts';
import { q22 } from './queries/q22.ts';

const queries = {
  ...{ q0, q1, q2, q3, q4, q5, q6, q7, q8, q9, q10, q11 },
  ...{ q12, q13, q14, q15, q16, q17, q18, q19, q20, q21, q22 },
};

type Query = keyof typeof queries;

export default defineJob({
  name: 'nexmark',
  mode: 'streaming',
  params: {
    query: t
      .utf8()
      .choices(...(Object.keys(queries) as Query[]))
      .describe('which of the queries'),
    input: t
      .path()
      .default('generator')
      .describe('the folder with bid-0.parquet and so on, or events.jsonl'),
    format: t
      .utf8()
      .choices('parquet', 'arrow', 'ndjson')
      .default('parquet')
      .describe('of the input'),
    events: t
      .int64({ js: 'number' })
      .optional()
      .describe('of the generator; without it events come until the job is cancelled'),
    sideInput: t.path().default('side_input.csv').describe('of q13: a file with key and value'),
    output: t.path().default('out/').describe('the folder to write, or a file'),
  },
  build: ({ read, params: { query, output, ...options } }) => {
    const answer = queries[query](eventsOf(options, { read }));
    return answer.writeTo(files.sink({ path: output }));
  },
});
