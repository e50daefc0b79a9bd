/** A namespace with all that an fsimage has to keep, and the transactions that make it. */
import { applyEdit } from '../../dfs/namenode/namespace/apply-edit.ts';
import { blockStates } from '../../dfs/namenode/namespace/block-table.ts';
import type { Edit } from '../../dfs/namenode/namespace/edit.ts';
import { modeFlags } from '../../dfs/namenode/namespace/inode-table.ts';
import { Namespace } from '../../dfs/namenode/namespace/namespace.ts';

const owners = { owner: 'ann', group: 'staff', timeMs: 1_700_000_000_123 };
const layout = { replication: 2, blockSize: 1_000, clientName: 'client-1' };

export const sampleTransactions: readonly (readonly Edit[])[] = [
  [
    { op: 'mkdir', path: '/a', id: 16_386, mode: 0o1777, ...owners },
    { op: 'mkdir', path: '/a/ä\n"x', id: 16_387, mode: 0o700, ...owners },
  ],
  [{ op: 'setQuota', path: '/a', namesMax: 10, spaceBytesMax: 50_000 }],
  [{ op: 'create', path: '/a/one', id: 16_388, mode: 0o644, ...owners, ...layout }],
  [{ op: 'addBlock', fileId: 16_388, blockId: 1_073_741_825, generationStamp: 1_001 }],
  [
    {
      ...{ op: 'setBlock', blockId: 1_073_741_825, generationStamp: 1_003, lengthBytes: 1_000 },
      state: blockStates.committed,
    },
    { op: 'addBlock', fileId: 16_388, blockId: 1_073_741_826, generationStamp: 1_004 },
  ],
  [{ op: 'create', path: '/a/two', id: 16_389, mode: 0o600, ...owners, ...layout }],
  [{ op: 'addBlock', fileId: 16_389, blockId: 1_073_741_827, generationStamp: 1_005 }],
  [
    {
      ...{ op: 'setBlock', blockId: 1_073_741_827, generationStamp: 1_005, lengthBytes: 77 },
      state: blockStates.committed,
    },
    { op: 'close', fileId: 16_389, timeMs: 1_700_000_000_500 },
  ],
  [{ op: 'rename', source: '/a/two', destination: '/a/ä\n"x/2', timeMs: 1_700_000_000_600 }],
  [{ op: 'create', path: '/gone', id: 16_390, mode: 0o600, ...owners, ...layout }],
  [{ op: 'delete', path: '/gone', timeMs: 1_700_000_000_700 }],
  [{ op: 'setOwner', path: '/a', owner: 'bob', group: null }],
  [{ op: 'setReplication', path: '/a/ä\n"x/2', replication: 3 }],
  [{ op: 'setTimes', path: '/a/one', modifiedMs: 5, accessedMs: 6 }],
  [{ op: 'stamp', generationStamp: 1_009 }],
];

function newNamespace(): Namespace {
  const mode = 0o755 | modeFlags.directory;
  return new Namespace({ owner: 'hdfs', group: 'supergroup', mode, timeMs: 0 });
}

export function sampleNamespace(): Namespace {
  const namespace = newNamespace();
  for (const edit of sampleTransactions.flat()) applyEdit(namespace, edit);
  return namespace;
}
