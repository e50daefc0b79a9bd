/** Goal: a frame is what was sent or nothing: every bit that flips is noticed by the frame or by the checksum of its chunk. */
import { expect, test } from 'vitest';
import { crc32c } from '../../../base/checksum.ts';
import { checksumsOf, damagedChunkOf } from '../../../dfs/transfer/chunk-checksums.ts';
import {
  decodeFrame,
  encodeMessage,
  encodePacket,
  type Packet,
  type TransferMessage,
} from '../../../dfs/transfer/transfer-frame.ts';

const bytes = Uint8Array.from({ length: 700 }, (_, at) => (at * 31) & 255);
const run = { chunkBytes: 512, startBytes: 2 ** 33 + 100, checksumBefore: 7 };
const packet: Packet = {
  ...{ kind: 'packet', sequence: 2 ** 40, startBytes: run.startBytes, bytes },
  ...{ sums: checksumsOf(crc32c, bytes, run), isSync: true, isLast: false },
};

test('packets are read as they were written', () => {
  for (const [isSync, isLast] of [
    [true, false],
    [false, true],
    [false, false],
    [true, true],
  ] as const) {
    const sent = { ...packet, isSync, isLast };
    expect(decodeFrame(crc32c, encodePacket(crc32c, sent))).toEqual(sent);
  }
  const empty: Packet = { ...packet, bytes: new Uint8Array(), sums: new Uint32Array() };
  expect(decodeFrame(crc32c, encodePacket(crc32c, empty))).toEqual(empty);
});

test('messages are read as they were written', () => {
  const block = { blockPoolId: 'p', blockId: 1, generationStamp: 2, lengthBytes: 3 };
  const messages: TransferMessage[] = [
    {
      ...{ kind: 'write', block, mode: 'reopen', generationStamp: 4, chunkBytes: 512 },
      ...{ reserveBytes: 1, firstSequence: 9, targets: ['a:1', 'b:2'], token: 'ß' },
    },
    { kind: 'ready', lengthBytes: 1, chunkBytes: 512, tailChecksum: 2 ** 32 - 1 },
    { kind: 'read', block, startBytes: 5, lengthBytes: 6, token: '' },
    { kind: 'ack', sequence: 2 ** 40 },
    { kind: 'failed', index: 2, reason: 'DISK_FULL' },
  ];
  for (const message of messages) {
    expect(decodeFrame(crc32c, encodeMessage(crc32c, message))).toEqual(message);
  }
});

test.each([
  ['{', 'no JSON'],
  ['{}', 'no kind'],
  ['null', 'nothing'],
  ['{"kind":"ack","sequence":-1}', 'a negative count'],
  ['{"kind":"ack","sequence":1e300}', 'a count that is none'],
  ['{"kind":"ready","lengthBytes":"1","chunkBytes":512,"tailChecksum":0}', 'text for a number'],
  ['{"kind":"ready","lengthBytes":1,"chunkBytes":5,"tailChecksum":0}', 'chunks of no size'],
  ['{"kind":"read","block":{},"startBytes":0,"lengthBytes":1}', 'a block without an id'],
  ['{"kind":"write","block":null}', 'a write without a block'],
  ['{"kind":"format-disk"}', 'a kind that nobody knows'],
])('what has a right checksum and no right form is no message: %s, %s', (text) => {
  const frame = encodeMessage(crc32c, { kind: 'ack', sequence: 1 });
  const body = new TextEncoder().encode(text);
  const forged = new Uint8Array(8 + body.length);
  forged.set(frame.subarray(0, 4));
  new DataView(forged.buffer).setUint32(4, crc32c(body), true);
  forged.set(body, 8);
  expect(decodeFrame(crc32c, forged)).toBeNull();
});

test('every bit that flips, and every end that is missing, is noticed', () => {
  for (const frame of [
    encodePacket(crc32c, packet),
    encodeMessage(crc32c, { kind: 'ack', sequence: 12 }),
  ]) {
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const damaged = frame.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const found = decodeFrame(crc32c, damaged);
      if (found?.kind !== 'packet') expect(found).toBeNull();
      else expect(damagedChunkOf(crc32c, found.bytes, run, found.sums)).not.toBeNull();
    }
    for (let length = 0; length < frame.length; length++) {
      expect(decodeFrame(crc32c, frame.subarray(0, length))).toBeNull();
    }
  }
});
