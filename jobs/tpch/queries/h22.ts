/**
 * Q22, global sales opportunity: customers of some countries with more money than the average of those
 * with any, and without orders, by country code.
 */
import { agg, t } from 'millrace';
import type { Tables } from '../tables.ts';

export function h22({ customer, orders }: Tables) {
  const customers = customer
    .derive((row) => ({ cntrycode: row.c_phone.substring(0, 2) }))
    .where((row) => row.cntrycode.in('13', '31', '23', '29', '30', '18', '17'));
  const average = customers
    .where((row) => row.c_acctbal.gt(0))
    .aggregate({ average: agg.avg((row) => row.c_acctbal) });
  return customers
    .crossJoin(average)
    .where((row) => row.c_acctbal.cast(t.float64()).gt(row.average))
    .join(orders, { on: (row, order) => row.c_custkey.eq(order.o_custkey), type: 'anti' })
    .keyBy((row) => row.cntrycode)
    .aggregate({ numcust: agg.count(), totacctbal: agg.sum((row) => row.c_acctbal) })
    .orderBy((row) => row.cntrycode.asc());
}
