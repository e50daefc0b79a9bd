/** Goal: what the register has shown or accepted is never taken back, at whatever call power goes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Env } from '../../../base/env/env.ts';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { codeOf } from '../../../base/typed-error.ts';
import {
  decodeRegister,
  encodeRegister,
  openFileRegister,
} from '../../../coordinator/lease/file-register.ts';
import type { LeaseRecord, RegisterSnapshot } from '../../../coordinator/lease/lease-register.ts';
import { Cluster } from '../../../simulation/cluster.ts';
import { inMacrotask } from '../../../simulation/drain.ts';
import type { DiskFault } from '../../../simulation/sim-disk-state.ts';
import { runOnNode } from '../../support/run-on-node.ts';

const record = (token: number): LeaseRecord => ({
  holder: 'node "ä"',
  instance: 'x1',
  token,
  renewal: 0,
  durationMs: 1_000,
  isReleased: false,
});

test('a register in a real folder survives being opened again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-lease-'));
  const path = join(folder, 'register');
  const env = createRealEnv();
  const register = await openFileRegister(env, path);
  expect(await register.read()).toEqual({ version: 0, record: null });
  expect(await register.compareAndSwap(0, record(1))).toEqual({ kind: 'ok', version: 1 });
  expect(await register.compareAndSwap(0, record(9))).toEqual({ kind: 'conflict' });
  expect(await register.compareAndSwap(1, record(2))).toEqual({ kind: 'ok', version: 2 });
  const again = await openFileRegister(env, path);
  expect(await again.read()).toEqual({ version: 2, record: record(2) });
  expect(decodeRegister(readFileSync(path), path)).toEqual({ version: 2, record: record(2) });
  rmSync(folder, { recursive: true });
});

test('of swaps at the same time one wins', () =>
  runOnNode(async (env) => {
    const register = await openFileRegister(env, '/register');
    const swaps = [1, 2, 3].map((token) => register.compareAndSwap(0, record(token)));
    const kinds = (await Promise.all(swaps)).map(({ kind }) => kind);
    expect(kinds).toEqual(['ok', 'conflict', 'conflict']);
  }));

/** Swaps for ever; every open must show at least what an earlier life was shown or promised. */
function judgeLives(fault: { readonly call?: number; readonly fsync?: number }, entry: DiskFault) {
  const cluster = new Cluster({ seed: (fault.call ?? 0) + 1 });
  const { world } = cluster;
  let newest: RegisterSnapshot = { version: 0, record: null };
  let lives = 0;
  const see = (snapshot: RegisterSnapshot): void => {
    if (snapshot.version < newest.version) {
      world.fail('durable', `version ${snapshot.version} after version ${newest.version}`);
    }
    newest = snapshot;
  };
  const program = async (env: Env): Promise<void> => {
    lives++;
    const register = await openFileRegister(env, '/register').catch((error: unknown) => {
      if (codeOf(error) === 'DISK_IO') env.process.exit(70);
      throw error;
    });
    see(await register.read());
    for (let swap = 0; swap < 4; swap++) {
      const { version } = await register.read();
      await register.compareAndSwap(version, record(version + 1));
      see(await register.read());
    }
  };
  const node = cluster.addNode('node', { clocks: {}, faults: [] }, (env) => void program(env));
  if (fault.call !== undefined) node.diskState.faultOfCall.set(fault.call, entry);
  if (fault.fsync !== undefined) node.diskState.faultOfFsync.set(fault.fsync, entry);
  world.after(2_000, () => node.crashFor(10, 'test', 'powerCut'));
  world.run(6_000);
  expect(world.failure, JSON.stringify({ fault, entry })).toBeNull();
  return { lives, version: newest.version };
}

test('power cuts and kills at every call of the disk, before it and after it', async () => {
  await inMacrotask(() => {
    for (let call = 0; call < 60; call++) {
      for (const kind of ['crashBefore', 'crashAfter'] as const) {
        for (const cause of ['powerCut', 'killed'] as const) {
          const { version } = judgeLives({ call }, { kind, cause, downMs: 10 });
          expect(version).toBeGreaterThanOrEqual(8);
        }
      }
    }
  });
});

test('after a failed fsync the process ends, and the next life goes on', async () => {
  const lives = await inMacrotask(() =>
    [0, 1, 2, 5, 8].map((fsync) => judgeLives({ fsync }, { kind: 'fail' }).lives),
  );
  expect(lives).toEqual([3, 3, 3, 3, 3]);
});

test('every bit flip and every cut of the file is noticed', () => {
  const bytes = encodeRegister({ version: 3, record: record(2) });
  const codeFrom = (damaged: Uint8Array): string | null => {
    try {
      decodeRegister(damaged, '/register');
      return null;
    } catch (error) {
      return codeOf(error);
    }
  };
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(codeFrom(flipped), `bit ${bit}`).toBe('LEASE_REGISTER_CORRUPT');
  }
  for (let length = 0; length < bytes.length; length++) {
    expect(codeFrom(bytes.subarray(0, length))).toBe('LEASE_REGISTER_CORRUPT');
  }
});
