/**
 * The namenode's memory and its image: `node bench/micro/namespace.ts [FILES]`. Files of one block each with names like those that jobs
 * write, a thousand to a directory, made through the same operations that clients call.
 *
 * Expectation: 62 bytes of columns for an inode, some 20 for its name, 8 for the entry and its room, 8 for the list of
 * blocks; 37 for a block with its place in the index: 135 in all, 1.4 GB for ten million. A create resolves a path of
 * three names and inserts at the end of its directory: a few µs, most of them for text and objects of the request.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadChecksum } from '../../base/env/fast-checksum.ts';
import { createRealEnv } from '../../base/env/real-env.ts';
import { loadFsImage } from '../../dfs/namenode/log/load-fs-image.ts';
import {
  freezeNamespace,
  saveFsImage,
  thawNamespace,
} from '../../dfs/namenode/log/save-fs-image.ts';
import { applyEdit } from '../../dfs/namenode/namespace/apply-edit.ts';
import { blockStates } from '../../dfs/namenode/namespace/block-table.ts';
import { modeFlags } from '../../dfs/namenode/namespace/inode-table.ts';
import { Namespace } from '../../dfs/namenode/namespace/namespace.ts';
import { getFileInfo, getListing } from '../../dfs/namenode/operations/look.ts';
import { create } from '../../dfs/namenode/operations/make.ts';
import { defaultLimits, type OperationContext } from '../../dfs/namenode/operations/operation.ts';

const fileCount = Number(process.argv[2] ?? 1_000_000);
const filesPerDirectory = 1_000;
const user = 'hdfs';
const namespace = new Namespace({
  ...{ owner: user, group: 'supergroup', mode: 0o755 | modeFlags.directory, timeMs: 0 },
});
const access = { user, groups: new Set(['supergroup']), isSuperuser: true };
const context: OperationContext = { namespace, access, limits: defaultLimits, nowMs: 1 };
const flags = { overwrite: false, createParent: true, permission: 0o644 };
const layout = { replication: null, blockSizeBytes: null, clientName: 'writer' };

function pathOf(index: number): string {
  const directory = Math.floor(index / filesPerDirectory);
  return `/warehouse/day=${directory}/part-${String(index).padStart(8, '0')}.parquet`;
}

function makeFile(path: string): void {
  const plan = create(context, { user, path, ...flags, ...layout });
  for (const edit of plan.edits) applyEdit(namespace, edit);
  const { fileId } = plan.answer().status;
  const block = { blockId: namespace.nextBlockId, generationStamp: namespace.nextGenerationStamp };
  applyEdit(namespace, { op: 'addBlock', fileId, ...block });
  const state = blockStates.complete;
  applyEdit(namespace, { op: 'setBlock', ...block, lengthBytes: 1_000_000, state });
  applyEdit(namespace, { op: 'close', fileId, timeMs: 1 });
}

function rate(what: string, count: number, work: (index: number) => void): void {
  const start = process.cpuUsage();
  for (let index = 0; index < count; index++) work(index);
  const { user: userUs, system } = process.cpuUsage(start);
  const perSecond = Math.round(count / ((userUs + system) / 1e6));
  console.log(`${what}: ${perSecond.toLocaleString('en')} per second of CPU time`);
}

console.log(`load ${loadavg()[0]?.toFixed(1)}, ${fileCount.toLocaleString('en')} files`);
const before = process.memoryUsage();
rate('files made', fileCount, (index) => makeFile(pathOf(index)));
rate('stats', 500_000, (index) =>
  getFileInfo(context, { user, path: pathOf((index * 7_919) % fileCount) }).answer(),
);
globalThis.gc?.();
const after = process.memoryUsage();
const rowBytes = namespace.inodes.sizeBytes + namespace.blocks.sizeBytes;
const grown = after.rss - before.rss;
const each = (bytes: number) => `${(bytes / fileCount).toFixed(0)} bytes a file`;
console.log(`columns ${each(rowBytes)}, process ${each(grown)}`);

for (let index = 0; index < 100_000; index++)
  makeFile(`/large/${String((index * 7_919) % 100_000).padStart(6, '0')}`);
rate('listings of 100,000 entries', 1, () => {
  for (let startAfter = ''; ; ) {
    const page = getListing(context, { user, path: '/large', startAfter }).answer();
    startAfter = page.entries.at(-1)?.pathSuffix ?? '';
    if (page.remainingCount === 0) break;
  }
});

const { disk } = createRealEnv();
const checksum = loadChecksum();
const folder = mkdtempSync(join(tmpdir(), 'millrace-namespace-'));
try {
  const path = join(folder, 'fsimage');
  const frozen = freezeNamespace(namespace, { clusterId: 'bench', position: 1 });
  await timed('image saved', () => saveFsImage(disk, frozen, { path, checksum }));
  thawNamespace(namespace);
  console.log(`image ${(statSync(path).size / namespace.inodes.count).toFixed(0)} bytes an inode`);
  await timed('image read', () => loadFsImage(disk, path, checksum));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function timed(what: string, work: () => Promise<unknown>): Promise<void> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user: userUs, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1_000;
  console.log(`${what}: ${seconds.toFixed(1)} s, CPU ${((userUs + system) / 1e6).toFixed(1)} s`);
}
