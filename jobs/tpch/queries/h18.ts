/** Q18, large volume customer: the hundred dearest orders of more than 300 pieces, and who gave them. */
import { agg } from 'millrace';
import type { Tables } from '../tables.ts';

export function h18({ customer, orders, lineitem }: Tables) {
  const large = lineitem
    .keyBy((line) => line.l_orderkey)
    .aggregate({ quantity: agg.sum((line) => line.l_quantity) })
    .where((row) => row.quantity.gt(300));
  return orders
    .join(large, { on: (order, row) => order.o_orderkey.eq(row.l_orderkey) })
    .join(customer, { on: (order, row) => order.o_custkey.eq(row.c_custkey) })
    .select(({ c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, quantity }) => {
      return {
        c_name,
        c_custkey,
        o_orderkey,
        o_orderdate,
        o_totalprice,
        'sum(l_quantity)': quantity,
      };
    })
    .orderBy((row) => [row.o_totalprice.desc(), row.o_orderdate.asc()])
    .limit(100);
}
