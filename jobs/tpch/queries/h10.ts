/** Q10, returned item reporting: the twenty customers whose returns of a quarter cost the most. */
import { agg, lit, t } from 'millrace';
import { revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

export function h10({ customer, orders, lineitem, nation }: Tables) {
  const from = lit('1993-10-01', t.date());
  return lineitem
    .where((line) => line.l_returnflag.eq('R'))
    .join(
      orders.where((order) =>
        order.o_orderdate.ge(from).and(order.o_orderdate.lt(from.addMonths(3))),
      ),
      { on: (line, order) => line.l_orderkey.eq(order.o_orderkey) },
    )
    .keyBy((line) => line.o_custkey)
    .aggregate({ revenue: agg.sum(revenueOf) })
    .join(customer, { on: (row, one) => row.o_custkey.eq(one.c_custkey) })
    .join(nation, { on: (row, country) => row.c_nationkey.eq(country.n_nationkey) })
    .select(({ c_custkey, c_name, revenue, c_acctbal, n_name, c_address, c_phone, c_comment }) => {
      return { c_custkey, c_name, revenue, c_acctbal, n_name, c_address, c_phone, c_comment };
    })
    .orderBy((row) => row.revenue.desc())
    .limit(20);
}
