/**
 * The texts of the Nexmark benchmark that rows choose from: names, cities, states, and 10,004 channels
 * with a url each. Each is a list in the order of the kernels' tables (engine/kernels/nexmark-kernels.ts).
 *
 * Published generators make the urls by chance at their start; here they are the same in every run.
 */
import { createSeededRngSource } from '../../base/env/seeded-rng.ts';
import type { NexmarkKind } from './nexmark-options.ts';

const firstNames = 'Peter,Paul,Luke,John,Saul,Vicky,Kate,Julie,Sarah,Deiter,Walter'.split(',');
const lastNames = 'Shultz,Abrams,Spencer,White,Bartels,Walton,Smith,Jones,Noris'.split(',');
const cities =
  'Phoenix,Los Angeles,San Francisco,Boise,Portland,Bend,Redmond,Seattle,Kent,Cheyenne'.split(',');
const states = 'AZ,CA,ID,OR,WA,WY'.split(',');
const hotChannels = ['Google', 'Facebook', 'Baidu', 'Apple'];
const channelCount = 10_000;

/** A table of a kind, and the column that it is for. */
export interface NexmarkTable {
  readonly column: string;
  readonly texts: () => readonly string[];
}

/** The tables of each kind, in the kernel's order. */
export const nexmarkTables: Readonly<Record<NexmarkKind, readonly NexmarkTable[]>> = {
  bids: [
    { column: 'channel', texts: channels },
    { column: 'url', texts: urls },
  ],
  auctions: [],
  persons: [
    { column: 'name', texts: names },
    { column: 'city', texts: () => cities },
    { column: 'state', texts: () => states },
  ],
};

function channels(): string[] {
  return [...hotChannels, ...Array.from({ length: channelCount }, (_, n) => `channel-${n}`)];
}

function urls(): string[] {
  const chance = createSeededRngSource(0).stream('nexmark urls');
  const word = () => {
    const length = chance.int(3, 5);
    const letters = Array.from({ length }, () =>
      chance.int(0, 13) === 0 ? '_' : String.fromCharCode(97 + chance.int(0, 26)),
    );
    return letters.join('');
  };
  const base = () => `https://www.nexmark.com/${word()}/${word()}/${word()}/item.htm?query=1`;
  const hot = hotChannels.map(base);
  const others = Array.from({ length: channelCount }, (_, channel) => {
    const url = base();
    return chance.int(0, 10) === 0 ? url : `${url}&channel_id=${reversedBits(channel)}`;
  });
  return [...hot, ...others];
}

/** The 32 bits of a number in reverse, without the sign. */
function reversedBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed |= ((value >>> bit) & 1) << (31 - bit);
  return Math.abs(reversed);
}

function names(): string[] {
  return firstNames.flatMap((first) => lastNames.map((last) => `${first} ${last}`));
}
