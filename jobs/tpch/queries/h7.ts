/** Q7, volume shipping: what France and Germany shipped to each other, by year. */
import { agg } from 'millrace';
import { revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

export function h7({ supplier, lineitem, orders, customer, nation }: Tables) {
  const both = nation.where((row) => row.n_name.in('FRANCE', 'GERMANY'));
  const suppliers = supplier.join(both, {
    on: (row, country) => row.s_nationkey.eq(country.n_nationkey),
    select: (row, country) => ({ s_suppkey: row.s_suppkey, supp_nation: country.n_name }),
  });
  const customers = customer.join(both, {
    on: (row, country) => row.c_nationkey.eq(country.n_nationkey),
    select: (row, country) => ({ c_custkey: row.c_custkey, cust_nation: country.n_name }),
  });
  return lineitem
    .where((line) => line.l_shipdate.between('1995-01-01', '1996-12-31'))
    .join(suppliers, { on: (line, row) => line.l_suppkey.eq(row.s_suppkey) })
    .join(orders, { on: (line, order) => line.l_orderkey.eq(order.o_orderkey) })
    .join(customers, {
      on: (line, row) => line.o_custkey.eq(row.c_custkey).and(line.supp_nation.ne(row.cust_nation)),
    })
    .keyBy((line) => ({
      supp_nation: line.supp_nation,
      cust_nation: line.cust_nation,
      l_year: line.l_shipdate.year(),
    }))
    .aggregate({ revenue: agg.sum(revenueOf) })
    .orderBy((row) => [row.supp_nation.asc(), row.cust_nation.asc(), row.l_year.asc()]);
}
