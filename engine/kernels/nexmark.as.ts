/**
 * Nexmark kernels: events of the published generator, straight into columns. A row is a function of
 * its event's number and the seed: every value has draws of its own, so it is the same whichever rows
 * and columns are made beside it. What is drawn, and why: nexmark.ts, the reference.
 */
import { storeView } from './inline.as';

// The layout of the state: nexmark-kernels.ts.
@inline const nextAt: usize = 0;
@inline const endAt: usize = 8;
@inline const seedAt: usize = 16;
@inline const baseTimeAt: usize = 24;
@inline const rateAt: usize = 32;
@inline const groupAt: usize = 40;
@inline const rowsMaxAt: usize = 44;
@inline const textAt: usize = 48;
@inline const textEndAt: usize = 52;
@inline const tablesAt: usize = 56;
@inline const columnsAt: usize = 72;

@inline const golden: u64 = 0x9e3779b97f4a7c15;
@inline const eventsPerEpoch: u64 = 50;
@inline const personsPerEpoch: u64 = 1;
@inline const auctionsPerEpoch: u64 = 3;
@inline const firstId: u64 = 1000;
@inline const idLead: u32 = 10;
/** The longest texts of a row, with the 16 bytes that letters are written in. */
@inline const bidTextMax: usize = 96;
@inline const auctionTextMax: usize = 704;
@inline const personTextMax: usize = 288;

@inline function mix(value: u64): u64 {
  value = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >>> 27)) * 0x94d049bb133111eb;
  return value ^ (value >>> 31);
}

/** The random numbers of an event, all from one. */
@inline function eventOf(state: usize, id: u64): u64 {
  return mix(load<u64>(state, seedAt) + id * golden);
}

/** 64 random bits; `index` is the draw's own number within the event. */
@inline function draw(event: u64, index: u64): u64 {
  return mix(event + (index + 1) * golden);
}

/** A number below `bound` from 32 random bits. */
@inline function below(bits: u64, bound: u32): u32 {
  return <u32>(((bits & 0xffffffff) * <u64>bound) >>> 32);
}

/** The event's place after groups of events were mixed up. */
@inline function adjusted(number: u64, group: u64): u64 {
  return group <= 1 ? number : number - (number % group) + ((number * 953) % group);
}

@inline function timeOf(state: usize, id: u64): u64 {
  return load<u64>(state, baseTimeAt) + <u64>((<f64>id * 1000.0) / load<f64>(state, rateAt));
}

@inline function column(state: usize, index: usize): usize {
  return <usize>load<u32>(state + columnsAt + (index << 2));
}

@inline function table(state: usize, index: usize): usize {
  return <usize>load<u32>(state + tablesAt + (index << 2));
}

@inline function put64(values: usize, row: u32, value: u64): void {
  if (values) store<u64>(values + (<usize>row << 3), value);
}

@inline function copyView(views: usize, row: u32, from: usize, index: u32): void {
  if (views) v128.store(views + (<usize>row << 4), v128.load(from + (<usize>index << 4)));
}

/** 10 to the power of `x`, 0 to 6, times 100, rounded. */
@inline function priceOf(bits: u64): u64 {
  const x = <f64>(bits >>> 11) * (6.0 / 9007199254740992.0);
  const twos = x * 3.321928094887362;
  const whole = floor<f64>(twos);
  const y = (twos - whole) * 0.6931471805599453;
  let sum = 1.0 / 6227020800.0;
  sum = sum * y + 1.0 / 479001600.0;
  sum = sum * y + 1.0 / 39916800.0;
  sum = sum * y + 1.0 / 3628800.0;
  sum = sum * y + 1.0 / 362880.0;
  sum = sum * y + 1.0 / 40320.0;
  sum = sum * y + 1.0 / 5040.0;
  sum = sum * y + 1.0 / 720.0;
  sum = sum * y + 1.0 / 120.0;
  sum = sum * y + 1.0 / 24.0;
  sum = sum * y + 1.0 / 6.0;
  sum = sum * y + 0.5;
  sum = sum * y + 1.0;
  sum = sum * y + 1.0;
  return <u64>floor<f64>(sum * <f64>(1 << <i32>whole) * 100.0 + 0.5);
}

/** Letters, 16 at a time: up to 15 bytes behind `length` are written as well. */
@inline function writeLetters(at: usize, length: u32, event: u64, first: u64): void {
  const a = i8x16.splat(97);
  const letters = i8x16.splat(26);
  for (let done: u32 = 0; done < length; done += 16, first += 2) {
    const bytes = i64x2.replace_lane(i64x2.splat(draw(event, first)), 1, draw(event, first + 1));
    const low = i16x8.shr_u(i16x8.extmul_low_i8x16_u(bytes, letters), 8);
    const high = i16x8.shr_u(i16x8.extmul_high_i8x16_u(bytes, letters), 8);
    v128.store(at + <usize>done, i8x16.add(i8x16.narrow_i16x8_u(low, high), a));
  }
}

/** Words of letters: one of 13 characters is `gap`. Four characters a draw. */
@inline function writeWords(at: usize, length: u32, gap: u32, event: u64, first: u64): void {
  let bits: u64 = 0;
  for (let index: u32 = 0; index < length; index++, bits >>>= 16) {
    if ((index & 3) == 0) bits = draw(event, first++);
    const pick = (<u32>(bits & 0xffff) * 338) >>> 16;
    store<u8>(at + <usize>index, pick < 26 ? gap : 97 + (pick % 26));
  }
}

/** Length of a text of 3 to `max - 1` characters. */
@inline function wordsLength(bits: u64, max: u32): u32 {
  return 3 + below(bits, max - 3);
}

/** Writes the view of [from, from + length) without the spaces at both ends; answers its length. */
@inline function putTrimmed(views: usize, row: u32, from: usize, length: u32): u32 {
  while (length > 0 && load<u8>(from + <usize>length - 1) == 32) length--;
  while (length > 0 && load<u8>(from) == 32) {
    from++;
    length--;
  }
  if (views) storeView(views + (<usize>row << 4), from, length);
  return length;
}

/** Writes a text of letters that brings a row of `size` bytes to `average` bytes on average. */
@inline function putExtra(state: usize, views: usize, row: u32, size: u32, average: u32, event: u64, first: u64): void {
  if (!views) return;
  const wanted = average > size ? average - size : 0;
  const delta = (wanted + 2) / 5;
  const length = wanted - delta + below(draw(event, first), 2 * delta);
  const at = <usize>load<u32>(state, textAt);
  writeLetters(at, length, event, first + 1);
  storeView(views + (<usize>row << 4), at, length);
  store<u32>(state, <u32>(at + <usize>length), textAt);
}

/** A person that is active now, or will be there soon. */
@inline function anyPerson(lastPerson: u64, bits: u64): u64 {
  const people = lastPerson + 1;
  const active = min<u64>(people, 1000);
  return people - active + <u64>below(bits, <u32>active + idLead);
}

@inline function hotOf(last: u64): u64 {
  return last - (last % 100);
}

@inline function isRoomLeft(state: usize, textMax: usize): bool {
  return <usize>load<u32>(state, textEndAt) - <usize>load<u32>(state, textAt) >= textMax;
}

export function nexmarkBids(state: usize): u32 {
  const end = load<u64>(state, endAt);
  const group = <u64>load<u32>(state, groupAt);
  const rowsMax = load<u32>(state, rowsMaxAt);
  let number = load<u64>(state, nextAt);
  let row: u32 = 0;
  for (; number < end && row < rowsMax && isRoomLeft(state, bidTextMax); number++) {
    const id = adjusted(number, group);
    const epoch = id / eventsPerEpoch;
    if (id - epoch * eventsPerEpoch < personsPerEpoch + auctionsPerEpoch) continue;
    putBid(state, row, id, epoch);
    row++;
  }
  store<u64>(state, number, nextAt);
  return row;
}

@inline function putBid(state: usize, row: u32, id: u64, epoch: u64): void {
  const event = eventOf(state, id);
  const lastAuction = epoch * auctionsPerEpoch + auctionsPerEpoch - 1;
  const auctions = column(state, 0);
  if (auctions) {
    const bits = draw(event, 0);
    const oldest = lastAuction < 100 ? 0 : lastAuction - 100;
    const cold = oldest + <u64>below(bits >>> 32, <u32>(lastAuction - oldest) + 1 + idLead);
    put64(auctions, row, firstId + (bits & 1 ? hotOf(lastAuction) : cold));
  }
  const bidders = column(state, 1);
  if (bidders) {
    const bits = draw(event, 1);
    const bidder = bits & 3 ? hotOf(epoch) + 1 : anyPerson(epoch, bits >>> 32);
    put64(bidders, row, firstId + bidder);
  }
  if (column(state, 2)) put64(column(state, 2), row, priceOf(draw(event, 2)));
  const channels = column(state, 3);
  const urls = column(state, 4);
  if (channels | urls) {
    const bits = draw(event, 3);
    const channel = bits & 1 ? below(bits >>> 32, 4) : 4 + below(bits >>> 32, 10000);
    copyView(channels, row, table(state, 0), channel);
    copyView(urls, row, table(state, 1), channel);
  }
  put64(column(state, 5), row, timeOf(state, id));
  putExtra(state, column(state, 6), row, 32, 100, event, 4);
}

export function nexmarkAuctions(state: usize): u32 {
  const end = load<u64>(state, endAt);
  const group = <u64>load<u32>(state, groupAt);
  const rowsMax = load<u32>(state, rowsMaxAt);
  let number = load<u64>(state, nextAt);
  let row: u32 = 0;
  for (; number < end && row < rowsMax && isRoomLeft(state, auctionTextMax); number++) {
    const id = adjusted(number, group);
    const offset = id % eventsPerEpoch;
    if (offset < personsPerEpoch || offset >= personsPerEpoch + auctionsPerEpoch) continue;
    putAuction(state, row, id, offset - personsPerEpoch);
    row++;
  }
  store<u64>(state, number, nextAt);
  return row;
}

@inline function putAuction(state: usize, row: u32, id: u64, offset: u64): void {
  const event = eventOf(state, id);
  const epoch = id / eventsPerEpoch;
  put64(column(state, 0), row, firstId + epoch * auctionsPerEpoch + offset);
  const lengths = draw(event, 0);
  // 19 characters at most: 5 draws. 99: 25. Their lengths count for the row's size, so both are made.
  let at = <usize>load<u32>(state, textAt);
  const nameRoom = wordsLength(lengths, 20);
  writeWords(at, nameRoom, 32, event, 1);
  const nameSize = putTrimmed(column(state, 1), row, at, nameRoom);
  at += <usize>nameRoom;
  const descriptionRoom = wordsLength(lengths >>> 32, 100);
  writeWords(at, descriptionRoom, 32, event, 6);
  const descriptionSize = putTrimmed(column(state, 2), row, at, descriptionRoom);
  store<u32>(state, <u32>(at + <usize>descriptionRoom), textAt);
  const initial = priceOf(draw(event, 31));
  put64(column(state, 3), row, initial);
  put64(column(state, 4), row, initial + priceOf(draw(event, 32)));
  const time = timeOf(state, id);
  put64(column(state, 5), row, time);
  // Until the auctions in flight now have been followed by as many new ones.
  const horizon = timeOf(state, id + (100 * eventsPerEpoch) / auctionsPerEpoch) - time;
  const longest = <u32>max<u64>(min<u64>(horizon * 2, 0xffffffff), 1);
  put64(column(state, 6), row, time + 1 + <u64>below(draw(event, 33), longest));
  const seller = draw(event, 34);
  put64(column(state, 7), row, firstId + (seller & 3 ? hotOf(epoch) : anyPerson(epoch, seller >>> 32)));
  put64(column(state, 8), row, 10 + <u64>below(draw(event, 35), 5));
  putExtra(state, column(state, 9), row, 48 + nameSize + descriptionSize, 500, event, 36);
}

export function nexmarkPersons(state: usize): u32 {
  const end = load<u64>(state, endAt);
  const group = <u64>load<u32>(state, groupAt);
  const rowsMax = load<u32>(state, rowsMaxAt);
  let number = load<u64>(state, nextAt);
  let row: u32 = 0;
  for (; number < end && row < rowsMax && isRoomLeft(state, personTextMax); number++) {
    const id = adjusted(number, group);
    if (id % eventsPerEpoch >= personsPerEpoch) continue;
    putPerson(state, row, id);
    row++;
  }
  store<u64>(state, number, nextAt);
  return row;
}

@inline function putPerson(state: usize, row: u32, id: u64): void {
  const event = eventOf(state, id);
  put64(column(state, 0), row, firstId + id / eventsPerEpoch);
  const names = below(draw(event, 0), 99);
  copyView(column(state, 1), row, table(state, 0), names);
  const emailSize = putEmail(state, column(state, 2), row, event);
  putCreditCard(state, column(state, 3), row, event);
  const places = draw(event, 6);
  const city = below(places, 10);
  copyView(column(state, 4), row, table(state, 1), city);
  copyView(column(state, 5), row, table(state, 2), below(places >>> 32, 6));
  put64(column(state, 6), row, timeOf(state, id));
  const size = 8 + load<u32>(table(state, 0) + (<usize>names << 4)) + emailSize + 19 +
    load<u32>(table(state, 1) + (<usize>city << 4)) + 2;
  putExtra(state, column(state, 7), row, size, 200, event, 7);
}

/** Two words of letters, `@` between them and `.com` behind; spaces at the ends of words are left out. */
@inline function putEmail(state: usize, views: usize, row: u32, event: u64): u32 {
  const start = <usize>load<u32>(state, textAt);
  const lengths = draw(event, 1);
  let at = writeTrimmed(start, wordsLength(lengths, 7), event, 2);
  store<u8>(at, 64);
  at = writeTrimmed(at + 1, wordsLength(lengths >>> 32, 5), event, 4);
  store<u32>(at, 0x6d6f632e);
  const size = <u32>(at + 4 - start);
  if (views) storeView(views + (<usize>row << 4), start, size);
  store<u32>(state, <u32>(at + 4), textAt);
  return size;
}

/** Writes up to 8 characters without spaces at the ends; answers where they end. */
@inline function writeTrimmed(at: usize, length: u32, event: u64, first: u64): usize {
  writeWords(at, length, 32, event, first);
  let start = at;
  const end = at + <usize>length;
  while (start < end && load<u8>(start) == 32) start++;
  let size: usize = 0;
  for (; start + size < end; size++) store<u8>(at + size, load<u8>(start + size));
  while (size > 0 && load<u8>(at + size - 1) == 32) size--;
  return at + size;
}

/** Four groups of four digits. */
@inline function putCreditCard(state: usize, views: usize, row: u32, event: u64): void {
  if (!views) return;
  const start = <usize>load<u32>(state, textAt);
  let bits = draw(event, 5);
  let at = start;
  for (let group = 0; group < 4; group++, bits >>>= 16) {
    let digits = (<u32>(bits & 0xffff) * 10000) >>> 16;
    for (let place: usize = 4; place-- > 0; digits /= 10) store<u8>(at + place, 48 + (digits % 10));
    store<u8>(at + 4, 32);
    at += 5;
  }
  storeView(views + (<usize>row << 4), start, 19);
  store<u32>(state, <u32>(start + 19), textAt);
}
