/** Goal: who reads gets a time that was written, whole, and never an older one than before; whatever the writer is at. */
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { SharedMoment, sharedMomentBytes } from '../../../engine/time/shared-moment.ts';

const none = Number.NEGATIVE_INFINITY;
const never = Number.POSITIVE_INFINITY;
/** Their halves differ in all ways. */
const [first, second] = [1_700_000_000_000, -0.1];

afterEach(() => {
  vi.restoreAllMocks();
});

function scene() {
  const buffer = new SharedArrayBuffer(2 * sharedMomentBytes);
  const moment = () => new SharedMoment(buffer, 1);
  return { moment, words: new Int32Array(buffer, sharedMomentBytes, 4) };
}

test('every time is read as it was written, infinity too, and the one beside it stays', () => {
  const { moment } = scene();
  const [writer, reader] = [moment(), moment()];
  expect(reader.read()).toBe(none);
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (timeMs) => {
      writer.write(timeMs);
      expect(reader.read()).toBe(timeMs);
      expect(moment().read()).toBe(timeMs);
    }),
  );
  writer.write(never);
  expect([reader.read(), new SharedMoment(new SharedArrayBuffer(16), 0).read()]).toEqual([
    never,
    none,
  ]);
});

test.each([1, 2, 3, 4])(
  'a write behind the reader’s look number %s is read whole, or not yet',
  (look) => {
    const { moment } = scene();
    const [writer, reader] = [moment(), moment()];
    writer.write(first);
    const { load } = Atomics;
    let looks = 0;
    vi.spyOn(Atomics, 'load').mockImplementation(((words: Int32Array, index: number) => {
      const value = load(words, index);
      looks++;
      if (looks === look) writer.write(second);
      return value;
    }) as typeof Atomics.load);
    expect([first, second]).toContain(reader.read());
    vi.restoreAllMocks();
    expect(reader.read()).toBe(second);
  },
);

test('while a write is not complete, what was read before holds; the next writer goes on', () => {
  const { moment, words } = scene();
  const [writer, reader] = [moment(), moment()];
  writer.write(first);
  expect(reader.read()).toBe(first);
  // A thread that died in the middle of it.
  words[0] = (words[0] ?? 0) + 1;
  words[1] = 99;
  expect([reader.read(), moment().read()]).toEqual([first, none]);
  moment().write(second);
  expect([reader.read(), moment().read()]).toEqual([second, second]);
});

test.each([0x7ffffffe, -2])('versions start over behind %s', (version) => {
  const { moment, words } = scene();
  words[0] = version;
  moment().write(first);
  moment().write(second);
  expect(moment().read()).toBe(second);
});
