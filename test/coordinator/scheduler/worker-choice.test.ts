/** Goal: all slots of a job or none, near its data, spread evenly or packed tightly. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSeededRngSource } from '../../../base/env/seeded-rng.ts';
import {
  chooseWorkers,
  type SlotRequest,
  slotsThatFit,
  type WorkerRoom,
} from '../../../coordinator/scheduler/worker-choice.ts';

const rng = createSeededRngSource(3).stream('draws');
const draw = (count: number) => rng.int(0, count);

const room = (workerId: string, freeSlots: number, more: Partial<WorkerRoom> = {}): WorkerRoom => ({
  ...{ workerId, incarnation: 1, slots: 8, memoryBytes: 800 },
  ...{ freeSlots, freeMemoryBytes: 800, load: 0 },
  ...more,
});
const want = (slots: number, more: Partial<SlotRequest> = {}): SlotRequest => ({
  ...{ slots, memoryBytesPerSlot: 0, strategy: 'spread', local: {} },
  ...more,
});
const abc = [room('a', 3), room('b', 8), room('c', 1)];
const tight = [room('a', 8, { freeMemoryBytes: 250 }), room('b', 8, { freeMemoryBytes: 99 })];

test.each`
  what                                 | rooms    | request                                            | chosen
  ${'more than there is'}              | ${abc}   | ${want(13)}                                        | ${null}
  ${'all that there is'}               | ${abc}   | ${want(12)}                                        | ${{ a: 3, b: 8, c: 1 }}
  ${'no workers'}                      | ${[]}    | ${want(1)}                                         | ${null}
  ${'memory counts'}                   | ${tight} | ${want(2, { memoryBytesPerSlot: 100 })}            | ${{ a: 2 }}
  ${'too little memory'}               | ${tight} | ${want(3, { memoryBytesPerSlot: 100 })}            | ${null}
  ${'packed into the tightest fit'}    | ${abc}   | ${want(3, { strategy: 'pack' })}                   | ${{ a: 3 }}
  ${'packed where all of it fits'}     | ${abc}   | ${want(4, { strategy: 'pack' })}                   | ${{ b: 4 }}
  ${'packed over several'}             | ${abc}   | ${want(9, { strategy: 'pack' })}                   | ${{ a: 3, b: 5, c: 1 }}
  ${'near its data'}                   | ${abc}   | ${want(2, { local: { b: 10 } })}                   | ${{ b: 2 }}
  ${'nearest first'}                   | ${abc}   | ${want(4, { local: { a: 99, b: 10, gone: 1e9 } })} | ${{ a: 3, b: 1 }}
  ${'not where it is to avoid'}        | ${abc}   | ${want(4, { avoid: ['b'] })}                       | ${{ a: 3, c: 1 }}
  ${'there, too, for want of others'}  | ${abc}   | ${want(12, { avoid: ['b'] })}                      | ${{ a: 3, b: 8, c: 1 }}
  ${'packed, but near its data first'} | ${abc}   | ${want(1, { strategy: 'pack', local: { b: 1 } })}  | ${{ b: 1 }}
`('$what', ({ rooms, request, chosen }) => {
  expect(chooseWorkers(rooms, request, draw)).toEqual(chosen);
});

test('what is given is what was asked for, within what each worker has', () => {
  const anyRoom = fc.record({
    free: fc.nat(8),
    memory: fc.nat(800),
    load: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const anyRequest = fc.record({
    slots: fc.integer({ min: 1, max: 20 }),
    memoryBytesPerSlot: fc.nat(200),
    strategy: fc.constantFrom('spread' as const, 'pack' as const),
    local: fc.dictionary(fc.constantFrom('w0', 'w1', 'w2'), fc.nat(9)),
  });
  fc.assert(
    fc.property(fc.array(anyRoom, { maxLength: 6 }), anyRequest, (drawn, request) => {
      const rooms = drawn.map(({ free, memory, load }, index) =>
        room(`w${index}`, free, { freeMemoryBytes: memory, load }),
      );
      const chosen = chooseWorkers(rooms, request, draw);
      const possible = rooms.reduce((sum, one) => sum + slotsThatFit(one, request), 0);
      expect(chosen !== null).toBe(possible >= request.slots);
      if (chosen === null) return;
      const given = Object.values(chosen).reduce((sum, count) => sum + count, 0);
      expect(given).toBe(request.slots);
      for (const one of rooms) {
        expect(chosen[one.workerId] ?? 0).toBeLessThanOrEqual(slotsThatFit(one, request));
      }
    }),
  );
});

test('the power of two choices is far more even than chance, and avoids the busy', () => {
  const counts = new Map<string, number>();
  for (let job = 0; job < 2_000; job++) {
    const rooms = Array.from({ length: 20 }, (_, index) => {
      const used = counts.get(`w${index}`) ?? 0;
      return room(`w${index}`, 1_000 - used, { slots: 1_000, load: index === 7 ? 1 : 0 });
    });
    for (const workerId of Object.keys(chooseWorkers(rooms, want(1), draw) ?? {})) {
      counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
    }
  }
  const busy = counts.get('w7') ?? 0;
  counts.delete('w7');
  const sorted = [...counts.values()].sort((one, other) => one - other);
  // By chance alone 100 jobs a worker would differ by some 40.
  expect((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)).toBeLessThan(20);
  expect(busy).toBeLessThan((sorted[0] ?? 0) / 2);
});
