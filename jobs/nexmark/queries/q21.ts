/** Q21, channel ids: known channels by name, others by the number in their url. */
import { when } from 'millrace';
import type { Events } from '../events.ts';

export function q21({ bid }: Events) {
  return bid
    .derive(({ channel, url }) => ({
      channel_id: when(channel.lower().eq('apple'), '0')
        .when(channel.lower().eq('google'), '1')
        .when(channel.lower().eq('facebook'), '2')
        .when(channel.lower().eq('baidu'), '3')
        .otherwise(url.extract(/(&|^)channel_id=([^&]*)/, 2)),
    }))
    .where((row) => row.channel_id.isNotNull())
    .select(({ auction, bidder, price, channel, channel_id }) => {
      return { auction, bidder, price, channel, channel_id };
    });
}
