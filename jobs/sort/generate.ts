/**
 * Makes records to sort, the same for the same seed: `node generate.ts COUNT [SEED] [text] > records.bin`. They
 * look as those of the sort benchmark do: a random key, the number of the record, and filling; with `text` each
 * is a line of ASCII. What is said on the standard error is what check.ts says of them when they are sorted.
 */
import { keyBytes, RecordSum, recordBytes } from './records.ts';

const recordsPerWrite = 10_000;

export interface RecordChoice {
  readonly number: number;
  readonly seed: number;
  /** Whether it is a line of ASCII. */
  readonly isText: boolean;
}

/** Makes a record at a place of the buffer. */
export function writeRecord(bytes: Uint8Array, at: number, choice: RecordChoice): void {
  const { number, seed, isText } = choice;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const random = [1, 2, 3].map((draw) => mixed(seed, number, draw));
  view.setUint32(at, random[0] ?? 0);
  view.setUint32(at + 4, random[1] ?? 0);
  view.setUint32(at + 8, ((random[2] ?? 0) & 0xffff_0000) | 0x0011);
  const digits = number.toString(16).padStart(32, '0');
  for (let index = 0; index < 32; index++) bytes[at + 12 + index] = digits.charCodeAt(index);
  view.setUint32(at + 44, 0x8899_aabb);
  for (let group = 0; group < 12; group++) {
    const draw = mixed(seed, number, 4 + (group >> 2));
    const digit = (draw >>> ((group & 3) * 4)) & 15;
    bytes.fill(digit < 10 ? 48 + digit : 55 + digit, at + 48 + group * 4, at + 52 + group * 4);
  }
  view.setUint32(at + 96, 0xccdd_eeff);
  if (isText) makeText(bytes, at);
}

/** Printable characters for what is none: 95 of them in the key, blanks, and the end of a line. */
function makeText(bytes: Uint8Array, at: number): void {
  for (let index = at; index < at + keyBytes; index++)
    bytes[index] = 32 + ((bytes[index] ?? 0) % 95);
  for (const index of [10, 11, 44, 45, 46, 47, 96, 97]) bytes[at + index] = 32;
  bytes[at + 98] = 13;
  bytes[at + 99] = 10;
}

/** A whole number of 32 bits that follows from all three, and looks as if it did not. */
function mixed(seed: number, number: number, draw: number): number {
  let hash = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.floor(number / 2 ** 32);
  hash = Math.imul(hash ^ (number >>> 0) ^ (hash >>> 13), 0xc2b2_ae35);
  hash = Math.imul(hash ^ draw ^ (hash >>> 16), 0x27d4_eb2f);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

async function main([countText = '1000', seedText = '1', form]: string[]): Promise<void> {
  const [count, seed] = [Number(countText), Number(seedText)];
  const sum = new RecordSum();
  for (let done = 0; done < count; done += recordsPerWrite) {
    const records = Math.min(recordsPerWrite, count - done);
    const bytes = new Uint8Array(records * recordBytes);
    const view = new DataView(bytes.buffer);
    for (let record = 0; record < records; record++) {
      const choice = { number: done + record, seed, isText: form === 'text' };
      writeRecord(bytes, record * recordBytes, choice);
      sum.add(view, record * recordBytes);
    }
    if (!process.stdout.write(bytes)) {
      await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
    }
  }
  process.stderr.write(`${count} records, checksum ${sum.text}\n`);
}

if (import.meta.main) await main(process.argv.slice(2));
