/** Goal: an fsimage gives back the namespace of its moment, whatever happened while it was written, or says that it is damaged. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '../../../../base/checksum.ts';
import type { Disk } from '../../../../base/env/disk.ts';
import { loadFsImage } from '../../../../dfs/namenode/log/load-fs-image.ts';
import {
  freezeNamespace,
  saveFsImage,
  thawNamespace,
} from '../../../../dfs/namenode/log/save-fs-image.ts';
import { applyEdit } from '../../../../dfs/namenode/namespace/apply-edit.ts';
import type { Namespace } from '../../../../dfs/namenode/namespace/namespace.ts';
import { sampleNamespace } from '../../../support/edited-namespace.ts';
import { MemoryDisk } from '../../../support/memory-disk.ts';
import { dumpNamespace } from '../../../support/namespace-dump.ts';
import { NamespaceScene } from '../../../support/namespace-scene.ts';

const head = { clusterId: 'cluster-1', position: 15 };
const options = { path: '/image', checksum: crc32c, frameRows: 3 };

/** Calls answer at once, but as promises. */
function memoryDisk(): { disk: Disk; files: Map<string, Uint8Array> } {
  const memory = new MemoryDisk();
  const disk = new Proxy(memory, {
    get: (target, name) => {
      const member = Reflect.get(target, name);
      return async (...args: unknown[]) => Reflect.apply(member, target, args);
    },
  });
  return { disk: disk as unknown as Disk, files: memory.files };
}

async function imageOf(namespace: Namespace): Promise<Uint8Array> {
  const { disk, files } = memoryDisk();
  await saveFsImage(disk, freezeNamespace(namespace, head), options);
  thawNamespace(namespace);
  expect([...files.keys()]).toEqual(['/image']);
  return files.get('/image') ?? new Uint8Array();
}

async function load(bytes: Uint8Array) {
  const { disk, files } = memoryDisk();
  files.set('/image', bytes);
  return await loadFsImage(disk, '/image', crc32c);
}

test('everything comes back: names, owners, times, blocks, quotas, writers, counters', async () => {
  const namespace = sampleNamespace();
  const loaded = await load(await imageOf(namespace));
  expect(loaded.head).toEqual(head);
  expect(dumpNamespace(loaded.namespace)).toEqual(dumpNamespace(namespace));
});

test('an image of an image is the same, and what was read can be changed', async () => {
  const first = await imageOf(sampleNamespace());
  const { namespace } = await load(first);
  expect(await imageOf(namespace)).toEqual(first);
  const expected = sampleNamespace();
  for (const one of [namespace, expected]) {
    applyEdit(one, { op: 'delete', path: '/a/one', timeMs: 9 });
    applyEdit(one, { op: 'setReplication', path: '/a/ä\n"x/2', replication: 1 });
    applyEdit(one, { op: 'rename', source: '/a/ä\n"x', destination: '/b', timeMs: 9 });
  }
  expect(dumpNamespace(namespace)).toEqual(dumpNamespace(expected));
});

test('random trees that change while they are saved: the image has the moment at which it began', async () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);
  const paths = fc.array(path, { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(paths, paths, async (before, after) => {
      const scene = new NamespaceScene();
      const make = (one: string, index: number) => {
        try {
          if (index % 3 === 0) scene.file(one);
          else scene.directory(one);
        } catch {
          // Below a file, or there already: as good as any other tree.
        }
      };
      before.forEach(make);
      const expected = dumpNamespace(scene.namespace);
      const { disk, files } = memoryDisk();
      const frozen = freezeNamespace(scene.namespace, head);
      const changes = [...after];
      const slow = new Proxy(disk, {
        get: (target, called) => {
          const one = changes.pop();
          if (one !== undefined) make(one, changes.length);
          const top = scene.namespace.inodes.contents;
          if (changes.length % 5 === 4 && top.count.get(0) > 0) {
            const gone = scene.namespace.pathOf(top.at(0, 0));
            applyEdit(scene.namespace, { op: 'delete', path: gone, timeMs: 7 });
          }
          return Reflect.get(target, called);
        },
      });
      await saveFsImage(slow, frozen, options);
      thawNamespace(scene.namespace);
      const { namespace } = await load(files.get('/image') ?? new Uint8Array());
      expect(dumpNamespace(namespace)).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test('an image cut anywhere, or with a bit flipped anywhere, is refused', async () => {
  const image = await imageOf(sampleNamespace());
  for (let length = 0; length < image.length; length += 3) {
    await expect(load(image.subarray(0, length)), `${length} bytes`).rejects.toThrow(/is damaged/);
  }
  for (let bit = 0; bit < image.length * 8; bit += 19) {
    const flipped = image.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await expect(load(flipped), `bit ${bit}`).rejects.toThrow(/is damaged|newer version/);
  }
});

test('an image without one of its frames, or with two in the wrong order, is refused', async () => {
  const image = await imageOf(sampleNamespace());
  const frames: Uint8Array[] = [];
  const view = new DataView(image.buffer, image.byteOffset);
  for (let at = 19; at < image.length; ) {
    const end = at + 20 + view.getUint32(at + 12, true);
    frames.push(image.subarray(at, end));
    at = end;
  }
  expect(frames.length).toBeGreaterThan(4);
  const put = (chosen: readonly Uint8Array[]) =>
    new Uint8Array([...image.subarray(0, 19), ...chosen.flatMap((frame) => [...frame])]);
  for (let gone = 0; gone < frames.length; gone++) {
    const others = frames.filter((_, index) => index !== gone);
    await expect(load(put(others)), `frame ${gone}`).rejects.toThrow(/is damaged/);
    const [one, next] = [frames[gone], frames[gone + 1]];
    if (one === undefined || next === undefined) continue;
    const swapped = frames.with(gone, next).with(gone + 1, one);
    await expect(load(put(swapped)), `frame ${gone}`).rejects.toThrow(/is damaged/);
  }
});
