/** Q10, log to a file: every bid, with the day and the minute that it belongs to. */
import { t } from 'millrace';
import type { Events } from '../events.ts';

export function q10({ bid }: Events) {
  return bid.select(({ auction, bidder, price, date_time, extra, at }) => {
    const text = at.cast(t.utf8());
    const parts = { day: text.substring(0, 10), minute: text.substring(11, 16) };
    return { auction, bidder, price, dt: date_time, extra, ...parts };
  });
}
