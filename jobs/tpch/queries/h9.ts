/** Q9, product type profit measure: what green parts earned, by the supplier's nation and year. */
import { agg } from 'millrace';
import { revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

export function h9({ part, supplier, lineitem, partsupp, orders, nation }: Tables) {
  const suppliers = supplier.join(nation, {
    on: (row, country) => row.s_nationkey.eq(country.n_nationkey),
    select: (row, country) => ({ s_suppkey: row.s_suppkey, nation: country.n_name }),
  });
  return lineitem
    .join(
      part.where((row) => row.p_name.like('%green%')),
      { on: (line, row) => line.l_partkey.eq(row.p_partkey), type: 'semi' },
    )
    .join(partsupp, {
      on: (line, offer) =>
        line.l_partkey.eq(offer.ps_partkey).and(line.l_suppkey.eq(offer.ps_suppkey)),
    })
    .join(suppliers, { on: (line, row) => line.l_suppkey.eq(row.s_suppkey) })
    .join(orders, { on: (line, order) => line.l_orderkey.eq(order.o_orderkey) })
    .keyBy((line) => ({ nation: line.nation, o_year: line.o_orderdate.year() }))
    .aggregate({
      sum_profit: agg.sum((line) => revenueOf(line).sub(line.ps_supplycost.mul(line.l_quantity))),
    })
    .orderBy((row) => [row.nation.asc(), row.o_year.desc()]);
}
