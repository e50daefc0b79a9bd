/**
 * Q13, customer distribution: how many customers have how many orders, those without any among them. A
 * left join keeps them, and `count` of a column leaves its nulls out.
 */
import { agg } from 'millrace';
import type { Tables } from '../tables.ts';

export function h13({ customer, orders }: Tables) {
  const usual = orders.where((order) => order.o_comment.like('%special%requests%').not());
  return customer
    .join(usual, { on: (row, order) => row.c_custkey.eq(order.o_custkey), type: 'left' })
    .keyBy((row) => row.c_custkey)
    .aggregate({ c_count: agg.count((row) => row.o_orderkey) })
    .keyBy((row) => row.c_count)
    .aggregate({ custdist: agg.count() })
    .orderBy((row) => [row.custdist.desc(), row.c_count.desc()]);
}
