/**
 * Q8, national market share: Brazil's share of what America paid for a type of parts, by year. The share
 * is a pivot: a sum over `when`.
 */
import { agg, t, when } from 'millrace';
import { revenueOf } from '../revenue.ts';
import type { Tables } from '../tables.ts';

export function h8({ part, supplier, lineitem, orders, customer, nation, region }: Tables) {
  const american = customer
    .join(nation, { on: (row, country) => row.c_nationkey.eq(country.n_nationkey) })
    .join(
      region.where((row) => row.r_name.eq('AMERICA')),
      { on: (row, area) => row.n_regionkey.eq(area.r_regionkey), type: 'semi' },
    )
    .select(({ c_custkey }) => ({ c_custkey }));
  return lineitem
    .join(
      part.where((row) => row.p_type.eq('ECONOMY ANODIZED STEEL')),
      { on: (line, row) => line.l_partkey.eq(row.p_partkey), type: 'semi' },
    )
    .join(
      orders.where((order) => order.o_orderdate.between('1995-01-01', '1996-12-31')),
      { on: (line, order) => line.l_orderkey.eq(order.o_orderkey) },
    )
    .join(american, { on: (line, row) => line.o_custkey.eq(row.c_custkey), type: 'semi' })
    .join(supplier, { on: (line, row) => line.l_suppkey.eq(row.s_suppkey) })
    .join(nation, { on: (line, country) => line.s_nationkey.eq(country.n_nationkey) })
    .keyBy((line) => ({ o_year: line.o_orderdate.year() }))
    .aggregate({
      brazil: agg.sum((line) => when(line.n_name.eq('BRAZIL'), revenueOf(line)).otherwise(0)),
      volume: agg.sum(revenueOf),
    })
    .select(({ o_year, brazil, volume }) => ({
      o_year,
      mkt_share: brazil.cast(t.float64()).div(volume.cast(t.float64())),
    }))
    .orderBy((row) => row.o_year.asc());
}
