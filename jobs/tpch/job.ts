/**
 * TPC-H: the 22 queries of the decision-support benchmark, over Parquet or Arrow files. Each query is a
 * file of its own, from the tables' streams to the rows of the answer.
 *
 * Before: jobs/tpch/tables.ts
 */
import { defineJob, t } from 'millrace';
import { files } from 'millrace/files';
import { h1 } from './queries/h1.ts';
import { h2 } from './queries/h2.ts';
import { h3 } from './queries/h3.ts';
import { h4 } from './queries/h4.ts';
import { h5 } from './queries/h5.ts';
import { h6 } from './queries/h6.ts';
import { h7 } from './queries/h7.ts';
import { h8 } from './queries/h8.ts';
import { h9 } from './queries/h9.ts';
import { h10 } from './queries/h10.ts';
import { h11 } from './queries/h11.ts';
import { h12 } from './queries/h12.ts';
import { h13 } from './queries/h13.ts';
import { h14 } from './queries/h14.ts';
import { h15 } from './queries/h15.ts';
import { h16 } from './queries/h16.ts';
import { h17 } from './queries/h17.ts';
import { h18 } from './queries/h18.ts';
import { h19 } from './queries/h19.ts';
import { h20 } from './queries/h20.ts';
import { h21 } from './queries/h21.ts';
import { h22 } from './queries/h22.ts';
import { tablesIn } from './tables.ts';

const queries = {
  h1,
  h2,
  h3,
  h4,
  h5,
  h6,
  h7,
  h8,
  h9,
  h10,
  h11,
  h12,
  h13,
  h14,
  h15,
  h16,
  h17,
  h18,
  h19,
  h20,
  h21,
  h22,
};

type Query = keyof typeof queries;

export default defineJob({
  name: 'tpch',
  params: {
    query: t
      .utf8()
      .choices(...(Object.keys(queries) as Query[]))
      .describe('which of the 22 queries'),
    input: t.path().describe('the folder with lineitem.parquet and so on, or lineitem.arrow'),
    output: t.path().default('out.csv').describe('the file to write'),
  },
  build: ({ read, params: { query, input, output } }) => {
    const answer = queries[query](tablesIn(input, { read }));
    return answer.writeTo(files.sink({ path: output }));
  },
});
