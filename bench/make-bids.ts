/**
 * Bids as NDJSON for the bench, the same bytes on every machine: drawn from a seed, with the fields that
 * Nexmark's bids have. Half of the bids go to one in a hundred auctions.
 */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import type { Rng } from '../base/env/rng.ts';
import { createSeededRngSource } from '../base/env/seeded-rng.ts';

const auctionCount = 100_000;
const hotAuctions = 1000;
const channels = ['Apple', 'Google', 'Facebook', 'Baidu'];
const seed = 20_260_101;
const startMs = Date.UTC(2026, 0, 1);
const linesPerWrite = 20_000;

/** Writes whole lines, as many as fit into the size. */
export function makeBids(path: string, sizeBytes: number): void {
  const unfinished = `${path}.making`;
  const file = openSync(unfinished, 'w');
  const rng = createSeededRngSource(seed).stream('bids');
  let lines: string[] = [];
  let written = 0;
  for (let index = 0; ; index++) {
    const line = bidLine(rng, index);
    written += line.length;
    if (written > sizeBytes) break;
    lines.push(line);
    if (lines.length < linesPerWrite) continue;
    writeSync(file, lines.join(''));
    lines = [];
  }
  writeSync(file, lines.join(''));
  closeSync(file);
  renameSync(unfinished, path);
}

/** A line of ASCII, some 180 bytes. */
function bidLine(rng: Rng, index: number): string {
  const isHot = rng.int(0, 2) === 0;
  const auction = 1000 + rng.int(0, isHot ? hotAuctions : auctionCount);
  const isNamed = rng.int(0, 2) === 0;
  const number = rng.int(0, 10_000);
  const channel = isNamed ? (channels[number % channels.length] ?? '') : `channel-${number}`;
  const page = rng.u32().toString(36);
  return `${JSON.stringify({
    auction,
    bidder: 1000 + rng.int(0, 1_000_000),
    price: 1 + rng.int(0, 10_000_000),
    channel,
    url: `https://www.nexmark.com/${page}/item.htm?query=1&channel_id=${number}`,
    date_time: startMs + index,
    extra: rng.u32().toString(36).repeat(2),
  })}\n`;
}
