/** Goal: the ring's two ends over shared memory, in one thread: fragments, marks, wake-ups, misuse. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RingReader, RingWriter, ringBytes } from '../../../engine/memory/ring.ts';

/** A ring whose slots carry `slotPayload` bytes, both ends, and how often each was woken. */
function newRing(slotCount: number, slotPayload: number) {
  const slotBytes = slotPayload + 16;
  const buffer = new SharedArrayBuffer(ringBytes(slotCount, slotBytes));
  const woken = { reader: 0, writer: 0 };
  const ring = { buffer, slotCount, slotBytes };
  const writer = new RingWriter(ring, () => woken.reader++);
  const reader = new RingReader(ring, () => woken.writer++);
  let target = new Uint8Array(0);
  const read = () => {
    const outcome = reader.tryRead((sizeBytes) => {
      target = new Uint8Array(sizeBytes);
      return target;
    });
    return outcome === 'message' ? [...target] : outcome;
  };
  return { writer, reader, read, woken };
}

test('messages of any size arrive in order, however writing and reading take turns', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 });
  const slots = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(messages, slots, fc.infiniteStream(fc.boolean()), (list, slotCount, turns) => {
      const { writer, read } = newRing(slotCount, 16);
      const received: unknown[] = [];
      let sent = 0;
      let last: unknown = '';
      for (let turn = 0; last !== 'ended' && turn < 5000; turn++) {
        if (turns.next().value) {
          sent += sendNext(writer, list, sent);
          continue;
        }
        last = read();
        if (Array.isArray(last)) received.push(last);
      }
      expect(received).toEqual(list.map((message) => [...message]));
    }),
  );
});

/** Tries to write the message that is due, or the end; answers how many were written. */
function sendNext(writer: RingWriter, list: readonly Uint8Array[], sent: number): number {
  const message = list[sent];
  if (message !== undefined) return writer.tryWrite(message) ? 1 : 0;
  writer.end();
  return 0;
}

test('a message in part goes on where it stopped, and only with the same message', () => {
  const { writer, reader, read } = newRing(2, 16);
  const message = Uint8Array.from({ length: 50 }, (_, index) => index);
  expect([writer.tryWrite(message), writer.isWriting]).toEqual([false, true]);
  expect(() => writer.tryWrite(message.subarray(1))).toThrow('goes on where it stopped');
  expect(() => writer.end()).toThrow('after a whole message');
  expect([read(), reader.isReading]).toEqual(['empty', true]);
  expect(writer.tryWrite(message)).toBe(true);
  expect(read()).toEqual([...message]);
  expect([writer.isWriting, reader.isReading]).toEqual([false, false]);
});

test('each side is woken only when it found nothing to do', () => {
  const { writer, read, woken } = newRing(1, 16);
  writer.tryWrite(Uint8Array.of(1));
  expect(read()).toEqual([1]);
  expect(woken).toEqual({ reader: 0, writer: 0 });
  expect(read()).toBe('empty');
  writer.tryWrite(Uint8Array.of(2));
  expect(woken).toEqual({ reader: 1, writer: 0 });
  expect(writer.tryWrite(Uint8Array.of(3))).toBe(false);
  read();
  expect(woken).toEqual({ reader: 1, writer: 1 });
});

test('a failure shows after what is in the ring, and cuts off a message in part', () => {
  const { writer, read } = newRing(2, 16);
  writer.tryWrite(Uint8Array.of(7));
  expect(writer.tryWrite(new Uint8Array(40))).toBe(false);
  writer.fail();
  expect([read(), read(), read()]).toEqual([[7], 'failed', 'failed']);
});

test('the end is final', () => {
  const { writer, read } = newRing(2, 16);
  writer.end();
  expect([read(), read()]).toEqual(['ended', 'ended']);
  expect(() => writer.tryWrite(Uint8Array.of(1))).toThrow('nothing is written after the end');
});

test('a reader without room leaves the message in the ring', () => {
  const { writer, reader, read } = newRing(2, 16);
  writer.tryWrite(Uint8Array.of(5, 6));
  const noRoom = () => {
    throw new Error('no room');
  };
  expect(() => reader.tryRead(noRoom)).toThrow('no room');
  expect(() => reader.tryRead(() => new Uint8Array(1))).toThrow('as large as the message');
  expect(read()).toEqual([5, 6]);
});

test('a buffer too small for its ring is noticed', () => {
  const buffer = new SharedArrayBuffer(ringBytes(2, 64) - 1);
  const make = (slotBytes: number) => () =>
    new RingReader({ buffer, slotCount: 2, slotBytes }, () => undefined);
  expect(make(64)).toThrow('the buffer holds the ring');
  expect(make(60)).toThrow('multiples of 16');
  expect(make(16)).toThrow('multiples of 16');
});
