/** Goal: a power cut leaves what the rules of durability allow: all that, and nothing else. */
import { expect, test } from 'vitest';
import type { Disk } from '../../base/env/disk.ts';
import type { Env } from '../../base/env/env.ts';
import { Cluster } from '../../simulation/cluster.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import type { CrashCause } from '../../simulation/life.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function read(disk: Disk, path: string): Promise<string> {
  if ((await disk.stat(path)) === null) return 'absent';
  const file = await disk.open(path, 'read');
  const into = new Uint8Array(32);
  return new TextDecoder().decode(into.subarray(0, await disk.read(file, into, 0)));
}

/** Runs `first`, crashes, runs `then`; over many seeds returns all that `then` answered. */
function afterCrash(
  cause: CrashCause,
  first: (disk: Disk) => Promise<void>,
  then: (disk: Disk) => Promise<string>,
): Promise<string[]> {
  return inMacrotask(() => {
    const answers = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const cluster = new Cluster({ seed });
      let lives = 0;
      const program = (env: Env): void => {
        lives++;
        if (lives === 1) void first(env.disk);
        else void then(env.disk).then((answer) => answers.add(answer));
      };
      const node = cluster.addNode('node', { clocks: {}, faults: [] }, program);
      cluster.world.after(2_000, () => node.crashFor(100, 'test', cause));
      cluster.world.run(4_000);
    }
    return [...answers].sort();
  });
}

async function write(disk: Disk, path: string, text: string, isSynced: boolean): Promise<void> {
  const file = await disk.open(path, 'update');
  await disk.write(file, bytes(text), 0);
  if (isSynced) await disk.fsync(file);
}

test('synced bytes under a synced name stay', async () => {
  const first = async (disk: Disk): Promise<void> => {
    await write(disk, '/a', 'abc', true);
    await disk.syncDir('/');
  };
  expect(await afterCrash('powerCut', first, (disk) => read(disk, '/a'))).toEqual(['abc']);
});

test('an unsynced write is lost, kept or torn; a synced one before it stays', async () => {
  const first = async (disk: Disk): Promise<void> => {
    await write(disk, '/a', 'xyz', true);
    await disk.syncDir('/');
    await write(disk, '/a', 'abc', false);
  };
  const answers = await afterCrash('powerCut', first, (disk) => read(disk, '/a'));
  expect(answers).toEqual(['abc', 'abz', 'ayz', 'xyz']);
});

test('a killed process loses nothing that it wrote', async () => {
  const first = (disk: Disk): Promise<void> => write(disk, '/a', 'abc', false);
  expect(await afterCrash('killed', first, (disk) => read(disk, '/a'))).toEqual(['abc']);
});

test('a name that was not synced may be gone, whatever its bytes are', async () => {
  const first = (disk: Disk): Promise<void> => write(disk, '/a', 'abc', true);
  expect(await afterCrash('powerCut', first, (disk) => read(disk, '/a'))).toEqual([
    'abc',
    'absent',
  ]);
});

test('a rename is whole or not at all, and may be neither until the folder is synced', async () => {
  const first = async (disk: Disk): Promise<void> => {
    await write(disk, '/now', 'old', true);
    await write(disk, '/next', 'new', true);
    await disk.syncDir('/');
    await disk.rename('/next', '/now');
  };
  const then = async (disk: Disk) => `${await read(disk, '/now')} ${await read(disk, '/next')}`;
  expect(await afterCrash('powerCut', first, then)).toEqual(['new absent', 'old new']);
  const synced = async (disk: Disk): Promise<void> => {
    await first(disk);
    await disk.syncDir('/');
  };
  expect(await afterCrash('powerCut', synced, then)).toEqual(['new absent']);
});

test('a failed fsync loses what it should have kept, though it can still be read', async () => {
  const seen: string[] = [];
  await inMacrotask(() => {
    const cluster = new Cluster({ seed: 1 });
    const program = async (env: Env): Promise<void> => {
      if (seen.length > 0) {
        seen.push(await read(env.disk, '/a'));
        return;
      }
      await write(env.disk, '/a', 'abc', false);
      await env.disk.syncDir('/');
      const file = await env.disk.open('/a', 'update');
      await env.disk.fsync(file).catch((error: Error) => seen.push(error.name));
      seen.push(await read(env.disk, '/a'));
    };
    const node = cluster.addNode('node', { clocks: {}, faults: [] }, (env) => void program(env));
    node.diskState.faultOfFsync.set(1, { kind: 'fail' });
    cluster.world.after(1_000, () => node.crashFor(100, 'test', 'powerCut'));
    cluster.world.run(2_000);
  });
  expect(seen).toEqual(['DISK_IO', 'abc', '']);
});

test('a crash aimed at a call comes before its effect or after it, and is never answered', async () => {
  const outcomes = await inMacrotask(() =>
    (['crashBefore', 'crashAfter'] as const).map((kind) => {
      const cluster = new Cluster({ seed: 1 });
      const answers: string[] = [];
      let lives = 0;
      const program = async (env: Env): Promise<void> => {
        lives++;
        if (lives === 2) answers.push(String((await env.disk.list('/')).length));
        await env.disk.makeDir('/made');
        answers.push(`answered in life ${lives}`);
      };
      const node = cluster.addNode('node', { clocks: {}, faults: [] }, (env) => void program(env));
      node.diskState.faultOfCall.set(0, { kind, downMs: 10, cause: 'killed' });
      cluster.world.run(1_000);
      return answers;
    }),
  );
  expect(outcomes).toEqual([
    ['0', 'answered in life 2'],
    ['1', 'answered in life 2'],
  ]);
});

test('an unsynced cut is lost or kept, and what is written behind it may be there without it', async () => {
  const first = async (disk: Disk): Promise<void> => {
    await write(disk, '/a', 'abcd', true);
    await disk.syncDir('/');
    const file = await disk.open('/a', 'update');
    await disk.truncate(file, 2);
    await disk.write(file, bytes('X'), 2);
  };
  expect(await afterCrash('powerCut', first, (disk) => read(disk, '/a'))).toEqual(
    [
      'abX', // Both are kept.
      'abXd', // The cut is lost.
      'ab', // The write is lost, or torn to nothing.
      'abcd',
    ].sort(),
  );
});
