/**
 * The fields of Nexmark's three kinds of events, named as RisingWave's port names them, in the order of
 * the kernels' columns. Ids and prices (in cents) are far below 2^53: functions read them as numbers.
 */
import { t } from '../../engine/api/value-type.ts';

const whole = () => t.int64({ js: 'number' });

export const nexmarkFields = {
  bids: {
    auction: whole(),
    bidder: whole(),
    price: whole(),
    channel: t.utf8(),
    url: t.utf8(),
    date_time: t.timestampMs(),
    extra: t.utf8(),
  },
  auctions: {
    id: whole(),
    item_name: t.utf8(),
    description: t.utf8(),
    initial_bid: whole(),
    reserve: whole(),
    date_time: t.timestampMs(),
    expires: t.timestampMs(),
    seller: whole(),
    category: whole(),
    extra: t.utf8(),
  },
  persons: {
    id: whole(),
    name: t.utf8(),
    email_address: t.utf8(),
    credit_card: t.utf8(),
    city: t.utf8(),
    state: t.utf8(),
    date_time: t.timestampMs(),
    extra: t.utf8(),
  },
} as const;
