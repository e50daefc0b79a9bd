/** Q3, shipping priority: the ten unshipped orders of a market segment that would bring in the most. */
import { agg } from 'millrace';
import { revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

export function h3({ lineitem, orders, customer }: Tables) {
  const builders = customer.where((row) => row.c_mktsegment.eq('BUILDING'));
  return lineitem
    .where((line) => line.l_shipdate.gt('1995-03-15'))
    .join(
      orders.where((order) => order.o_orderdate.lt('1995-03-15')),
      { on: (line, order) => line.l_orderkey.eq(order.o_orderkey) },
    )
    .join(builders, { on: (line, row) => line.o_custkey.eq(row.c_custkey) })
    .keyBy((line) => [line.l_orderkey, line.o_orderdate, line.o_shippriority])
    .aggregate({ revenue: agg.sum(revenueOf) })
    .select(({ l_orderkey, revenue, o_orderdate, o_shippriority }) => {
      return { l_orderkey, revenue, o_orderdate, o_shippriority };
    })
    .orderBy((row) => [row.revenue.desc(), row.o_orderdate.asc()])
    .limit(10);
}
