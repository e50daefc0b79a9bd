/** Q1, currency conversion: every bid with its price in euros, to the tenth of a cent. */
import { lit, t } from 'millrace';
import type { Events } from '../events.ts';

export function q1({ bid }: Events) {
  const rate = lit('0.908', t.decimal(3, 3));
  return bid.select(({ auction, bidder, price, date_time, extra }) => {
    const euros = price.cast(t.decimal(15, 0)).mul(rate);
    return { auction, bidder, price: euros, dt: date_time, extra };
  });
}
