/** Q0, pass through: every bid as it is. What reading and writing cost. */
import type { Events } from '../events.ts';

export function q0({ bid }: Events) {
  return bid.select(({ auction, bidder, price, date_time, extra }) => {
    return { auction, bidder, price, dt: date_time, extra };
  });
}
