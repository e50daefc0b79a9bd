/** Q5, local supplier volume: what Asian customers paid suppliers of their own nation in a year. */
import { agg, lit, t } from 'millrace';
import { revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

export function h5({ customer, orders, lineitem, supplier, nation, region }: Tables) {
  const from = lit('1994-01-01', t.date());
  return lineitem
    .join(
      orders.where((order) =>
        order.o_orderdate.ge(from).and(order.o_orderdate.lt(from.addYears(1))),
      ),
      { on: (line, order) => line.l_orderkey.eq(order.o_orderkey) },
    )
    .join(customer, { on: (line, row) => line.o_custkey.eq(row.c_custkey) })
    .join(supplier, {
      on: (line, row) => line.l_suppkey.eq(row.s_suppkey).and(line.c_nationkey.eq(row.s_nationkey)),
    })
    .join(nation, { on: (line, row) => line.s_nationkey.eq(row.n_nationkey) })
    .join(
      region.where((row) => row.r_name.eq('ASIA')),
      { on: (line, row) => line.n_regionkey.eq(row.r_regionkey) },
    )
    .keyBy((line) => line.n_name)
    .aggregate({ revenue: agg.sum(revenueOf) })
    .orderBy((row) => row.revenue.desc());
}
