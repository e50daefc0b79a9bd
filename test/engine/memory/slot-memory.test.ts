/** Goal: blocks never overlap, the account is exact, and all memory joins up again when released. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  SlotMemory,
} from '../../../engine/memory/slot-memory.ts';

const page = 65_536;
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 4096 }),
  fc.integer({ min: 0, max: 40_000 }),
  fc.integer({ min: 1, max: 40 }).map((pages) => pages * page - 7),
);
type Step = { kind: 'allocate'; size: number } | { kind: 'retain' | 'release'; pick: number };
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('allocate' as const), size: sizes }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constantFrom('release' as const, 'release' as const, 'retain' as const),
        pick: fc.nat(1000),
      }),
    },
  ),
  { maxLength: 300 },
);

/** The reference: a plain list of the blocks in use. */
interface Held {
  readonly block: BlockHandle;
  readonly owner: string;
  count: number;
  readonly mark: number;
}

function expectWhole(memory: SlotMemory, held: readonly Held[]): void {
  const ranges = held
    .map(({ block }) => ({ start: addressOf(block), size: memory.sizeOf(block) }))
    .sort((a, b) => a.start - b.start);
  let end = page;
  let sum = 0;
  for (const { start, size } of ranges) {
    expect(start).toBeGreaterThanOrEqual(end);
    expect(start % 64).toBe(0);
    end = start + size;
    sum += size;
  }
  expect(end).toBeLessThanOrEqual(memory.bytes.length - page);
  expect(memory.usedBytes).toBe(sum);
  const byOwner = memory.holders().reduce((total, holder) => total + holder.bytes, 0);
  expect(byOwner).toBe(sum);
}

function runSteps(memory: SlotMemory, list: readonly Step[]): Held[] {
  const scopes = [memory.scope('read'), memory.scope('group'), memory.scope('sort')];
  const held: Held[] = [];
  list.forEach((step, index) => {
    if (step.kind === 'allocate') {
      const scope = scopes[index % 3] as MemoryScope;
      const block = scope.tryAllocate(step.size);
      if (block === 0) return;
      expect(memory.sizeOf(block)).toBeGreaterThanOrEqual(step.size);
      const mark = index & 0xff;
      const start = addressOf(block);
      memory.bytes.fill(mark, start, start + memory.sizeOf(block));
      held.push({ block, owner: scope.owner, count: 1, mark });
    } else if (held.length > 0) {
      const at = step.pick % held.length;
      const entry = held[at] as Held;
      const start = addressOf(entry.block);
      expect(memory.bytes[start]).toBe(entry.mark);
      expect(memory.bytes[start + memory.sizeOf(entry.block) - 1]).toBe(entry.mark);
      if (step.kind === 'retain') {
        memory.retain(entry.block);
        entry.count++;
      } else {
        memory.release(entry.block);
        if (--entry.count === 0) held.splice(at, 1);
      }
    }
  });
  return held;
}

test('random allocations agree with a list of blocks, and everything joins up at the end', () => {
  fc.assert(
    fc.property(steps, fc.boolean(), (list, poison) => {
      const memory = new SlotMemory({ budgetBytes: 64 * page, poison });
      const held = runSteps(memory, list);
      expectWhole(memory, held);
      for (const entry of held) {
        for (; entry.count > 0; entry.count--) memory.release(entry.block);
      }
      memory.assertEmpty();
      // Joined up: one run as long as the whole memory can be had.
      const whole = memory.scope('test').allocate(64 * page);
      expect(memory.sizeOf(whole)).toBe(64 * page);
      memory.release(whole);
      memory.assertEmpty();
    }),
    { numRuns: 150 },
  );
});

test('the whole budget can be used, in blocks of any one size', () => {
  for (const size of [64, 4096, 32_768, page, 3 * page]) {
    const memory = new SlotMemory({ budgetBytes: 12 * page });
    const scope = memory.scope('test');
    const blocks: BlockHandle[] = [];
    for (let block = scope.tryAllocate(size); block !== 0; block = scope.tryAllocate(size)) {
      blocks.push(block);
    }
    expect(blocks.length * size).toBe(12 * page);
    expect(memory.peakBytes).toBe(12 * page);
    for (const block of blocks) memory.release(block);
    memory.assertEmpty();
  }
});

test('an allocation over the budget names who holds the memory, and --memory', () => {
  const memory = new SlotMemory({ budgetBytes: 16 * page });
  const small = memory.scope('read').allocate(page);
  const large = memory.scope('group by "word"').allocate(13 * page);
  let failure: unknown;
  try {
    memory.scope('sort').allocate(3 * page);
  } catch (error) {
    failure = error;
  }
  expect(codeOf(failure)).toBe('MEMORY_EXHAUSTED');
  const { message, info } = failure as Error & { info: { hint: string } };
  expect(message).toBe(
    '"sort" asked for 192.0 KB of the slot\'s memory, but 896.0 KB of 1.0 MB are in use; ' +
      'held by: "group by "word"" 832.0 KB, "read" 64.0 KB',
  );
  expect(info.hint).toContain('--memory');
  expect(memory.scope('sort').tryAllocate(3 * page)).toBe(0);
  memory.release(small);
  memory.release(large);
  memory.assertEmpty();
});

test('scattered free memory is named as such', () => {
  const memory = new SlotMemory({ budgetBytes: 8 * page });
  const scope = memory.scope('test');
  const blocks = Array.from({ length: 8 }, () => scope.allocate(page));
  for (const block of blocks.filter((_, index) => index % 2 === 0)) memory.release(block);
  expect(() => scope.allocate(2 * page)).toThrow('the longest free stretch is 64.0 KB');
  for (const block of blocks.filter((_, index) => index % 2 === 1)) memory.release(block);
  memory.assertEmpty();
});

test('a leak is named, and a block released too often is noticed', () => {
  const memory = new SlotMemory({ budgetBytes: 8 * page });
  const block = memory.scope('join').allocate(100);
  const run = memory.scope('join').allocate(2 * page);
  expect(() => memory.assertEmpty()).toThrow('held: "join" 128.1 KB');
  memory.release(block);
  memory.release(run);
  expect(() => memory.release(block)).toThrow('in use');
  expect(() => memory.release(run)).toThrow('in use');
  expect(() => memory.retain(run)).toThrow('in use');
  const [first, second] = [memory.scope('a').allocate(64), memory.scope('a').allocate(64)];
  memory.release(first);
  expect(() => memory.release(first)).toThrow('as often as it is held');
  expect(() => memory.retain(first)).toThrow('in use');
  memory.release(second);
  memory.assertEmpty();
});

test('poison shows in fresh and in freed blocks', () => {
  const memory = new SlotMemory({ budgetBytes: 8 * page, poison: true });
  const block = memory.scope('test').allocate(64);
  const start = addressOf(block);
  expect(memory.bytes.subarray(start, start + 64).every((byte) => byte === 0xdb)).toBe(true);
  memory.bytes.fill(1, start, start + 64);
  memory.release(block);
  expect(memory.bytes.subarray(start, start + 64).every((byte) => byte === 0xdb)).toBe(true);
  memory.assertEmpty();
});

test('pages that were used go out before new ones are touched', () => {
  const memory = new SlotMemory({ budgetBytes: 1024 * page });
  const scope = memory.scope('test');
  for (let round = 0; round < 100; round++) {
    const blocks = [scope.allocate(5 * page), scope.allocate(64), scope.allocate(2 * page)];
    for (const block of blocks) memory.release(block);
  }
  expect(memory.touchedBytes).toBe(8 * page);
  memory.assertEmpty();
});

test('blocks above 2 GiB have positive addresses, and 4 GiB is the most', () => {
  const memory = new SlotMemory({ budgetBytes: page * page });
  const scope = memory.scope('test');
  const low = scope.allocate(3 * 2 ** 30);
  const high = scope.allocate(64);
  expect(addressOf(high)).toBeGreaterThan(2 ** 31);
  memory.uint32[addressOf(high) >>> 2] = 7;
  expect(memory.bytes[addressOf(high)]).toBe(7);
  memory.release(low);
  memory.release(high);
  memory.assertEmpty();
  expect(() => new SlotMemory({ budgetBytes: page * page + 1 })).toThrow('4 GiB');
});

test('a mix of long-lived small and short-lived large blocks does not fragment without bound', () => {
  const memory = new SlotMemory({ budgetBytes: 2048 * page });
  const scope = memory.scope('test');
  const kept: BlockHandle[] = [];
  let seed = 1;
  const next = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  let flying: BlockHandle[] = [];
  for (let round = 0; round < 2000; round++) {
    flying.push(scope.allocate((1 + next(20)) * page), scope.allocate(64 << next(9)));
    kept.push(scope.allocate(64 << next(4)));
    if (flying.length > 20) {
      for (const block of flying) memory.release(block);
      flying = [];
    }
  }
  // 2,000 kept blocks of 240 bytes in the mean are 8 pages; batches in flight peak at 210 pages.
  expect(memory.touchedBytes / memory.peakBytes).toBeLessThan(1.25);
  for (const block of [...kept, ...flying]) memory.release(block);
  memory.assertEmpty();
});
