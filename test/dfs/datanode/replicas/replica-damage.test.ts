/**
 * Goal: whatever is damaged on the disk is noticed, and nothing wrong is ever handed out: each bit and each byte range of a small
 * replica flipped, each file cut at each length, made longer, removed, put back as it was before.
 */
import { expect, test } from 'vitest';
import { codeOf } from '../../../../base/typed-error.ts';
import { MemoryDisk } from '../../../support/memory-disk.ts';
import {
  appendTo,
  contentOf,
  create,
  openStore,
  promisedDisk,
  readAll,
  type StoreScene,
} from '../../../support/replica-scene.ts';

const block = '/data/blocks/01/blk_1';
const meta = `${block}.meta`;
const lengthBytes = 1_300;
const stamp = 2;

type Files = ReadonlyMap<string, Uint8Array>;

/** A finalized replica that was appended to once, and what its files were before that. */
async function writeReplica() {
  const memory = new MemoryDisk();
  const { store } = await openStore({ disk: promisedDisk(memory) });
  const first = await create(store, 1);
  await appendTo(first, 700);
  await first.finalize();
  const before: Files = new Map([...memory.files].map(([name, bytes]) => [name, bytes.slice()]));
  const second = await store.reopen({ blockId: 1, generationStamp: 1, lengthBytes: 700 }, stamp);
  await appendTo(second, lengthBytes);
  await second.finalize();
  return { memory, before, after: new Map(memory.files) as Files };
}

function restore(memory: MemoryDisk, files: Files): void {
  memory.files.clear();
  for (const [name, bytes] of files) memory.files.set(name, bytes.slice());
}

/** What a reader of version 2 is given: the right bytes, or the code of the refusal. */
async function outcomeOf({ store }: StoreScene): Promise<string> {
  try {
    const bytes = await readAll(store, 1, stamp);
    expect(bytes).toEqual(contentOf(0, lengthBytes));
    return 'right';
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
}

/** Every way to damage the two files, by name. */
function* damages(after: Files, before: Files): Generator<[string, (memory: MemoryDisk) => void]> {
  for (const [path, bytes] of after) {
    if (path !== block && path !== meta) continue;
    for (let at = 0; at < bytes.length; at++) {
      // Each bit of the meta file; one of each byte of the block, and longer ranges of both.
      for (const bit of path === meta ? [0, 1, 2, 3, 4, 5, 6, 7] : [at & 7]) {
        yield [
          `bit ${bit} of byte ${at} of ${path}`,
          (memory) => flip(memory, path, at, 1 << bit, 1),
        ];
      }
    }
    for (let at = 0; at < bytes.length; at += 16) {
      yield [`64 bytes at ${at} of ${path}`, (memory) => flip(memory, path, at, 0xff, 64)];
      yield [`zeros at ${at} of ${path}`, (memory) => memory.files.get(path)?.fill(0, at, at + 64)];
    }
    for (let length = 0; length < bytes.length; length++) {
      yield [
        `${path} cut at ${length}`,
        (memory) => memory.files.set(path, bytes.slice(0, length)),
      ];
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    yield [`${path} one byte longer`, (memory) => memory.files.set(path, longer)];
    yield [`${path} removed`, (memory) => memory.files.delete(path)];
    yield [
      `${path} as it was before`,
      (memory) => memory.files.set(path, before.get(path) as Uint8Array),
    ];
  }
  yield [
    'both files as they were before',
    (memory) => {
      for (const path of [block, meta]) memory.files.set(path, before.get(path) as Uint8Array);
    },
  ];
}

function flip(memory: MemoryDisk, path: string, at: number, mask: number, count: number): void {
  const bytes = memory.files.get(path) as Uint8Array;
  for (let index = at; index < Math.min(at + count, bytes.length); index++) {
    bytes[index] = (bytes[index] ?? 0) ^ mask;
  }
}

test('damage while the datanode runs is noticed by the next read, every time, and told once', async () => {
  const { memory, before, after } = await writeReplica();
  let count = 0;
  for (const [name, damage] of damages(after, before)) {
    restore(memory, after);
    const scene = await openStore({ disk: promisedDisk(memory) });
    damage(memory);
    const isSame = [block, meta].every((path) =>
      Buffer.from(memory.files.get(path) ?? []).equals(after.get(path) as Uint8Array),
    );
    if (isSame) continue; // Zeros where there were zeros.
    count++;
    expect(await outcomeOf(scene), name).toBe('DFS_REPLICA_DAMAGED');
    expect(await outcomeOf(scene), name).toBe('DFS_REPLICA_DAMAGED');
    expect(scene.damaged, name).toHaveLength(1);
  }
  expect(count).toBeGreaterThan(3_800);
});

test('damage while the datanode is down is noticed at the start or by a read, or healed from the other record', async () => {
  const { memory, before, after } = await writeReplica();
  const outcomes: Record<string, number> = {};
  for (const [name, damage] of damages(after, before)) {
    restore(memory, after);
    damage(memory);
    const isSame = [block, meta].every((path) =>
      Buffer.from(memory.files.get(path) ?? []).equals(after.get(path) as Uint8Array),
    );
    if (isSame) continue;
    const scene = await openStore({ disk: promisedDisk(memory) });
    const outcome = await outcomeOf(scene);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    // One of the two records is damaged, and nothing else: the other one and all bytes say what it was.
    const [, at] = /^bit \d of byte (\d+) of .*\.meta$/.exec(name) ?? [];
    const isInRecord = at !== undefined && Number(at) >= 32 && Number(at) < 112;
    expect(outcome === 'right', name).toBe(isInRecord);
    expect(scene.store.find(1)?.writer ?? null).toBeNull();
  }
  expect(Object.keys(outcomes).sort()).toEqual([
    'DFS_REPLICA_DAMAGED',
    'DFS_REPLICA_NOT_FOUND',
    'DFS_REPLICA_STALE',
    'right',
  ]);
});

test('nothing damaged is written on, recovered or copied, and a new replica may take its place', async () => {
  const { memory, after } = await writeReplica();
  restore(memory, after);
  memory.files.set(block, contentOf(0, 1_200));
  const { store } = await openStore({ disk: promisedDisk(memory) });
  const known = { blockId: 1, generationStamp: stamp, lengthBytes: 0 };
  await expect(store.reopen(known, 3)).rejects.toMatchObject({ name: 'DFS_REPLICA_DAMAGED' });
  await expect(store.beginRecovery(1, 3)).rejects.toMatchObject({ name: 'DFS_REPLICA_DAMAGED' });
  const copy = await create(store, 1, { generationStamp: stamp, isTemporary: true });
  await appendTo(copy, lengthBytes);
  await copy.finalize();
  expect(await readAll(store, 1, stamp)).toEqual(contentOf(0, lengthBytes));
});

test('what is put aside at a start is kept for a person to look at', async () => {
  const { memory } = await writeReplica();
  memory.files.delete(meta);
  const { store, events } = await openStore({ disk: promisedDisk(memory) });
  expect(store.find(1)).toBeNull();
  expect(events).toContain('datanode.replica-put-aside');
  expect(memory.files.get('/data/unusable/blk_1')).toEqual(contentOf(0, lengthBytes));
});
