/**
 * Reference of nexmark.as.ts, and what its numbers are: the events of the Nexmark benchmark as Beam's
 * generator makes them. Of each 50 events, an epoch, the first is a person, three are auctions and 46
 * are bids.
 *
 *     hot      half of the bids go to one auction of the last 100, three quarters come from one person of
 *              the last 100, and three quarters of the auctions from another; half of the bids come
 *              through one of four channels
 *     others   an auction of the last 100, a person of the last 1,000, or one of the next 10, which are
 *              not there yet; one of 10,000 channels
 *     price    10^x dollars in cents, x evenly from 0 to 6
 *     extra    letters that make rows of 100, 200 and 500 bytes on average (bids, persons, auctions)
 *
 * A value is made from draws that are its own, so a row does not depend on what else is made.
 * Published generators draw one value after the other; their rows differ, their distribution is this.
 * @see Apache Beam, `sdks/java/testing/nexmark`: configuration and generators; nexmark/nexmark: channels.
 */

const mask = (1n << 64n) - 1n;
const golden = 0x9e3779b97f4a7c15n;
const firstId = 1000n;
const letterA = 97;
const space = 32;

export interface NexmarkOptions {
  readonly seed: bigint;
  readonly baseTimeMs: number;
  readonly eventsPerSecond: number;
  /** So many events in a row are mixed up; 0 or 1: none. */
  readonly group: number;
}

export interface NexmarkBid {
  readonly auction: bigint;
  readonly bidder: bigint;
  readonly price: bigint;
  /** Place in the tables of channels and urls. */
  readonly channel: number;
  readonly dateTime: bigint;
  readonly extra: string;
}

export interface NexmarkAuction {
  readonly id: bigint;
  readonly itemName: string;
  readonly description: string;
  readonly initialBid: bigint;
  readonly reserve: bigint;
  readonly dateTime: bigint;
  readonly expires: bigint;
  readonly seller: bigint;
  readonly category: bigint;
  readonly extra: string;
}

export interface NexmarkPerson {
  readonly id: bigint;
  /** Places in the tables. */
  readonly name: number;
  readonly city: number;
  readonly state: number;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly dateTime: bigint;
  /** `size` is what the row has without it. */
  readonly extra: (size: number) => string;
}

/** The id of the event with this number, which says what it is and when. */
export function nexmarkIdOf(number: bigint, { group }: NexmarkOptions): bigint {
  if (group <= 1) return number;
  const size = BigInt(group);
  return number - (number % size) + ((number * 953n) % size);
}

export function nexmarkKindOf(id: bigint): 'person' | 'auction' | 'bid' {
  const offset = id % 50n;
  return offset < 1n ? 'person' : offset < 4n ? 'auction' : 'bid';
}

export function nexmarkBid(id: bigint, options: NexmarkOptions): NexmarkBid {
  const draws = new Draws(id, options);
  const epoch = id / 50n;
  const lastAuction = epoch * 3n + 2n;
  const oldest = lastAuction < 100n ? 0n : lastAuction - 100n;
  const cold = oldest + BigInt(draws.high(0, Number(lastAuction - oldest) + 11));
  const auction = draws.isOdd(0) ? hotOf(lastAuction) : cold;
  const bidder = draws.isOneOfFour(1) ? anyPerson(epoch, draws, 1) : hotOf(epoch) + 1n;
  const channel = draws.isOdd(3) ? draws.high(3, 4) : 4 + draws.high(3, 10_000);
  return {
    auction: firstId + auction,
    bidder: firstId + bidder,
    price: draws.price(2),
    channel,
    dateTime: timeOf(id, options),
    extra: draws.extra(32, 100, 4),
  };
}

export function nexmarkAuction(id: bigint, options: NexmarkOptions): NexmarkAuction {
  const draws = new Draws(id, options);
  const epoch = id / 50n;
  const itemName = draws.words(3 + draws.low(0, 17), 1);
  const description = draws.words(3 + draws.high(0, 97), 6);
  const initialBid = draws.price(31);
  const dateTime = timeOf(id, options);
  const horizon = timeOf(id + 1666n, options) - dateTime;
  const longest = Number(horizon * 2n > 1n ? horizon * 2n : 1n);
  return {
    id: firstId + epoch * 3n + (id % 50n) - 1n,
    itemName,
    description,
    initialBid,
    reserve: initialBid + draws.price(32),
    dateTime,
    expires: dateTime + 1n + BigInt(draws.low(33, Math.min(longest, 0xffff_ffff))),
    seller: firstId + (draws.isOneOfFour(34) ? anyPerson(epoch, draws, 34) : hotOf(epoch)),
    category: 10n + BigInt(draws.low(35, 5)),
    extra: draws.extra(48 + itemName.length + description.length, 500, 36),
  };
}

export function nexmarkPerson(id: bigint, options: NexmarkOptions): NexmarkPerson {
  const draws = new Draws(id, options);
  const user = draws.words(3 + draws.low(1, 4), 2);
  const host = draws.words(3 + draws.high(1, 2), 4);
  return {
    id: firstId + id / 50n,
    name: draws.low(0, 99),
    city: draws.low(6, 10),
    state: draws.high(6, 6),
    emailAddress: `${user}@${host}.com`,
    creditCard: draws
      .parts(5)
      .map((part) => String((part * 10_000) >>> 16).padStart(4, '0'))
      .join(' '),
    dateTime: timeOf(id, options),
    extra: (size) => draws.extra(size, 200, 7),
  };
}

/** The random numbers of one event. */
class Draws {
  readonly #event: bigint;

  constructor(id: bigint, { seed }: NexmarkOptions) {
    this.#event = mix(seed + id * golden);
  }

  draw(index: number): bigint {
    return mix(this.#event + BigInt(index + 1) * golden);
  }

  low(index: number, bound: number): number {
    return Number(((this.draw(index) & 0xffff_ffffn) * BigInt(bound)) >> 32n);
  }

  high(index: number, bound: number): number {
    return Number(((this.draw(index) >> 32n) * BigInt(bound)) >> 32n);
  }

  isOdd(index: number): boolean {
    return (this.draw(index) & 1n) === 1n;
  }

  isOneOfFour(index: number): boolean {
    return (this.draw(index) & 3n) === 0n;
  }

  /** The draw as four numbers of 16 bits. */
  parts(index: number): number[] {
    return [0n, 16n, 32n, 48n].map((shift) => Number((this.draw(index) >> shift) & 0xffffn));
  }

  price(index: number): bigint {
    const exponent = Number(this.draw(index) >> 11n) * (6 / 2 ** 53);
    const twos = exponent * Math.log2(10);
    const whole = Math.floor(twos);
    const power = exponential((twos - whole) * Math.LN2) * 2 ** whole;
    return BigInt(Math.floor(power * 100 + 0.5));
  }

  /** Letters with a space in 13 places, spaces at the ends left out. */
  words(length: number, first: number): string {
    const codes = Array.from({ length }, (_, index) => {
      const part = this.parts(first + (index >>> 2))[index & 3] ?? 0;
      const pick = (part * 338) >>> 16;
      return pick < 26 ? space : letterA + (pick % 26);
    });
    return String.fromCharCode(...codes).replace(/^ +| +$/g, '');
  }

  extra(size: number, average: number, first: number): string {
    const wanted = Math.max(0, average - size);
    const delta = Math.floor((wanted + 2) / 5);
    const length = wanted - delta + this.low(first, 2 * delta);
    const codes = Array.from({ length }, (_, index) => {
      const word = this.draw(first + 1 + (index >>> 3));
      const byte = Number((word >> BigInt((index & 7) * 8)) & 0xffn);
      return letterA + ((byte * 26) >>> 8);
    });
    return String.fromCharCode(...codes);
  }
}

/** e^y by its series: the same sums in every engine, which `Math.exp` does not promise. */
function exponential(y: number): number {
  let sum = 1 / factorial(13);
  for (let degree = 12; degree >= 0; degree--) sum = sum * y + 1 / factorial(degree);
  return sum;
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

function mix(value: bigint): bigint {
  let mixed = value & mask;
  mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask;
  return mixed ^ (mixed >> 31n);
}

function timeOf(id: bigint, { baseTimeMs, eventsPerSecond }: NexmarkOptions): bigint {
  return BigInt(baseTimeMs) + BigInt(Math.floor((Number(id) * 1000) / eventsPerSecond));
}

function hotOf(last: bigint): bigint {
  return last - (last % 100n);
}

function anyPerson(last: bigint, draws: Draws, index: number): bigint {
  const people = last + 1n;
  const active = people < 1000n ? people : 1000n;
  return people - active + BigInt(draws.high(index, Number(active) + 10));
}
