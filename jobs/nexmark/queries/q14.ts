/** Q14, calculation: bids in a range of prices in euros, with the time of day and the letters c in their text. */
import { lit, t, when } from 'millrace';
import type { Events } from '../events.ts';

export function q14({ bid }: Events) {
  const rate = lit('0.908', t.decimal(3, 3));
  return bid
    .derive(({ price }) => ({ euros: price.cast(t.decimal(15, 0)).mul(rate) }))
    .where((row) =>
      row.euros
        .gt(lit('1000000', t.decimal(18, 3)))
        .and(row.euros.lt(lit('50000000', t.decimal(18, 3)))),
    )
    .select(({ auction, bidder, euros, at, date_time, extra }) => ({
      auction,
      bidder,
      price: euros,
      bidTimeType: when(at.hour().between(8, 18), 'dayTime')
        .when(at.hour().le(6).or(at.hour().ge(20)), 'nightTime')
        .otherwise('otherTime'),
      dt: date_time,
      c_counts: extra.length().sub(extra.replace('c', '').length()),
    }));
}
