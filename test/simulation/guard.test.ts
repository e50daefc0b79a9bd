/** Goal: inside a simulation, time, chance and I/O outside the seams throw and name the seam. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { withGuard, withoutGuard } from '../../simulation/guard.ts';
import { World } from '../../simulation/world.ts';
import { typedErrorOf } from '../support/typed-error-of.ts';

test.each`
  name                      | use                                         | seam
  ${'Date.now'}             | ${() => Date.now()}                         | ${'env.clock'}
  ${'new Date()'}           | ${() => new Date()}                         | ${'env.clock'}
  ${'performance.now'}      | ${() => performance.now()}                  | ${'env.clock'}
  ${'process.hrtime'}       | ${() => process.hrtime()}                   | ${'env.clock'}
  ${'Math.random'}          | ${() => Math.random()}                      | ${'env.rng'}
  ${'setTimeout'}           | ${() => setTimeout(() => {}, 0)}            | ${'env.timers'}
  ${'setInterval'}          | ${() => setInterval(() => {}, 1)}           | ${'env.timers'}
  ${'setImmediate'}         | ${() => setImmediate(() => {})}             | ${'env.timers'}
  ${'timers/promises'}      | ${() => sleep(0)}                           | ${'env.timers'}
  ${'fetch'}                | ${() => fetch('http://127.0.0.1')}          | ${'env.net'}
  ${'net.connect'}          | ${() => connect(1)}                         | ${'env.net'}
  ${'fs'}                   | ${() => readFileSync('/etc/hostname')}      | ${'env.disk'}
  ${'fs/promises'}          | ${() => readFile('/etc/hostname')}          | ${'env.disk'}
  ${'randomUUID'}           | ${() => crypto.randomUUID()}                | ${'env.secrets'}
  ${'randomBytes'}          | ${() => randomBytes(4)}                     | ${'env.secrets'}
  ${'process.exit'}         | ${() => process.exit(3)}                    | ${'env.process'}
  ${'WeakRef'}              | ${() => new WeakRef({})}                    | ${'a strong reference'}
  ${'FinalizationRegistry'} | ${() => new FinalizationRegistry(() => {})} | ${'an explicit close'}
  ${'Worker'}               | ${() => new Worker('', { eval: true })}     | ${'a slot runner'}
`('$name throws and names $seam', ({ use, seam }: { use: () => unknown; seam: string }) => {
  const info = typedErrorOf(() => withGuard(use))?.info;
  expect(info?.code).toBe('GUARD_AMBIENT');
  expect(info?.details?.seam).toBe(seam);
});

test('outside the guard everything works, also after a run', async () => {
  withGuard(() => {});
  expect(Date.now()).toBeGreaterThan(0);
  expect(Date.now()).toBeGreaterThan(0);
  expect(Math.random()).toBeLessThan(1);
  await expect(sleep(1, 'slept')).resolves.toBe('slept');
  expect(withGuard(() => withoutGuard(() => performance.now()))).toBeGreaterThan(0);
});

test('arithmetic on dates stays', () => {
  expect(withGuard(() => new Date(0).toISOString())).toBe('1970-01-01T00:00:00.000Z');
  expect(withGuard(() => new Date(0) instanceof Date)).toBe(true);
});

test('code that uses the real time inside a run fails the run', async () => {
  const failure = await inMacrotask(() => {
    const world = new World(1);
    world.after(5, () => Date.now());
    world.run(10);
    return world.failure;
  });
  expect(failure?.message).toContain('"Date.now" was used inside a simulation');
  expect(failure?.atMs).toBe(5);
});
