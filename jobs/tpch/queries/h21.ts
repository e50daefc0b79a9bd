/**
 * Q21, suppliers who kept orders waiting: Saudi suppliers that were the only ones late with an order of
 * several suppliers. `exists` and `not exists` are a semi and an anti join with a condition besides the key.
 */
import { agg } from 'millrace';
import type { Tables } from '../tables.ts';

export function h21({ supplier, lineitem, orders, nation }: Tables) {
  const late = lineitem.where((line) => line.l_receiptdate.gt(line.l_commitdate));
  const saudi = supplier.join(
    nation.where((row) => row.n_name.eq('SAUDI ARABIA')),
    { on: (row, country) => row.s_nationkey.eq(country.n_nationkey), type: 'semi' },
  );
  const finished = orders.where((order) => order.o_orderstatus.eq('F'));
  return late
    .join(saudi, { on: (line, row) => line.l_suppkey.eq(row.s_suppkey) })
    .join(finished, { on: (line, order) => line.l_orderkey.eq(order.o_orderkey), type: 'semi' })
    .join(lineitem, {
      on: (line, other) =>
        line.l_orderkey.eq(other.l_orderkey).and(line.l_suppkey.ne(other.l_suppkey)),
      type: 'semi',
    })
    .join(late, {
      on: (line, other) =>
        line.l_orderkey.eq(other.l_orderkey).and(line.l_suppkey.ne(other.l_suppkey)),
      type: 'anti',
    })
    .keyBy((line) => line.s_name)
    .aggregate({ numwait: agg.count() })
    .orderBy((row) => [row.numwait.desc(), row.s_name.asc()])
    .limit(100);
}
