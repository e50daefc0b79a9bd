/**
 * Applies edits to the namespace: right after an operation has decided on them, and again when the log is replayed. No
 * rules here: an edit that does not fit the tree is a bug, or a damaged log.
 *
 * Before: dfs/namenode/namespace/namespace.ts. After: dfs/namenode/namespace/edit.ts.
 */
import { assert } from '../../../base/assert.ts';
import { blockStates } from './block-table.ts';
import type { Edit } from './edit.ts';
import { modeFlags, permissionMask } from './inode-table.ts';
import type { Namespace } from './namespace.ts';
import { parsePath } from './path.ts';

type EditOf<Op extends Edit['op']> = Extract<Edit, { readonly op: Op }>;

type Apply<Op extends Edit['op']> = (namespace: Namespace, edit: EditOf<Op>) => void;

const applyOf: { readonly [Op in Edit['op']]: Apply<Op> } = {
  mkdir: applyNew,
  create: applyNew,
  delete: applyDelete,
  rename: applyRename,
  concat: applyConcat,
  setPermission: applyPermission,
  setOwner: applyOwner,
  setTimes: applyTimes,
  setReplication: applyReplication,
  setQuota: applyQuota,
  open: (namespace, { path, clientName }) => {
    namespace.setWriter(rowAt(namespace, path), clientName);
  },
  addBlock: applyAddBlock,
  setBlock: applySetBlock,
  removeBlock: applyRemoveBlock,
  close: applyClose,
  stamp: (namespace, { generationStamp }) => noteStamp(namespace, generationStamp),
};

export function applyEdit(namespace: Namespace, edit: Edit): void {
  const apply = applyOf[edit.op] as Apply<Edit['op']> | undefined;
  assert(apply !== undefined, `an edit of the kind "${edit.op}" is known`);
  apply(namespace, edit);
}

function applyNew(namespace: Namespace, edit: EditOf<'mkdir' | 'create'>): void {
  const { parent, name } = placeOf(namespace, edit.path);
  const isDirectory = edit.op === 'mkdir';
  const mode = (edit.mode & permissionMask) | (isDirectory ? modeFlags.directory : 0);
  const row = namespace.add(name, { ...edit, mode });
  if (!isDirectory) {
    namespace.inodes.replication.set(row, edit.replication);
    namespace.inodes.blockSize.set(row, edit.blockSize);
    namespace.inodes.accessedMs.set(row, edit.timeMs);
    namespace.setWriter(row, edit.clientName);
  }
  namespace.link(parent, row);
  namespace.inodes.modifiedMs.set(parent, edit.timeMs);
  namespace.quotas.charge(namespace.inodes.parent, parent, 1, 0);
}

function applyDelete(namespace: Namespace, { path, timeMs }: EditOf<'delete'>): void {
  const row = rowAt(namespace, path);
  const parent = namespace.inodes.parent.get(row);
  chargeTree(namespace, row, -1);
  namespace.unlink(row);
  namespace.removeTree(row);
  namespace.inodes.modifiedMs.set(parent, timeMs);
}

function applyRename(namespace: Namespace, edit: EditOf<'rename'>): void {
  const { inodes } = namespace;
  const row = rowAt(namespace, edit.source);
  const before = inodes.parent.get(row);
  const { parent, name } = placeOf(namespace, edit.destination);
  chargeTree(namespace, row, -1);
  namespace.unlink(row);
  inodes.freeName(row);
  inodes.rename(row, name);
  namespace.link(parent, row);
  chargeTree(namespace, row, 1);
  inodes.modifiedMs.set(before, edit.timeMs);
  inodes.modifiedMs.set(parent, edit.timeMs);
}

function applyConcat(namespace: Namespace, { path, sources, timeMs }: EditOf<'concat'>): void {
  const { inodes, blocks } = namespace;
  const target = rowAt(namespace, path);
  for (const source of sources) {
    const row = rowAt(namespace, source);
    chargeTree(namespace, row, -1);
    changeSpace(namespace, target, () => {
      for (let index = 0; index < inodes.contents.count.get(row); index++) {
        const block = inodes.contents.at(row, index);
        blocks.file.set(block, target);
        inodes.contents.push(target, block);
      }
      inodes.contents.clear(row);
    });
    const parent = inodes.parent.get(row);
    namespace.unlink(row);
    namespace.removeTree(row);
    inodes.modifiedMs.set(parent, timeMs);
  }
  inodes.modifiedMs.set(target, timeMs);
}

function applyPermission(namespace: Namespace, { path, mode }: EditOf<'setPermission'>): void {
  const row = rowAt(namespace, path);
  const flags = namespace.inodes.mode.get(row) & ~permissionMask;
  namespace.inodes.mode.set(row, flags | (mode & permissionMask));
}

function applyOwner(namespace: Namespace, { path, owner, group }: EditOf<'setOwner'>): void {
  const { inodes, people } = namespace;
  const row = rowAt(namespace, path);
  if (owner !== null) inodes.owner.set(row, people.numberOf(owner));
  if (group !== null) inodes.group.set(row, people.numberOf(group));
}

function applyTimes(namespace: Namespace, edit: EditOf<'setTimes'>): void {
  const { inodes } = namespace;
  const row = rowAt(namespace, edit.path);
  if (edit.modifiedMs !== null) inodes.modifiedMs.set(row, edit.modifiedMs);
  if (edit.accessedMs !== null) inodes.accessedMs.set(row, edit.accessedMs);
}

function applyReplication(namespace: Namespace, edit: EditOf<'setReplication'>): void {
  const row = rowAt(namespace, edit.path);
  const { replication } = namespace.inodes;
  changeSpace(namespace, row, () => replication.set(row, edit.replication));
}

function applyQuota(namespace: Namespace, { path, ...limits }: EditOf<'setQuota'>): void {
  const row = rowAt(namespace, path);
  const { namesMax, spaceBytesMax } = limits;
  namespace.quotas.set(row, { namesMax, spaceBytesMax }, namespace.countsOf(row));
}

function applyAddBlock(namespace: Namespace, edit: EditOf<'addBlock'>): void {
  const row = openRowOf(namespace, edit.fileId);
  changeSpace(namespace, row, () => {
    const block = namespace.blocks.add(edit.blockId, edit.generationStamp, row);
    namespace.inodes.contents.push(row, block);
  });
  namespace.nextBlockId = Math.max(namespace.nextBlockId, edit.blockId + 1);
  noteStamp(namespace, edit.generationStamp);
}

function applySetBlock(namespace: Namespace, edit: EditOf<'setBlock'>): void {
  const { blocks } = namespace;
  const block = blockRowOf(namespace, edit.blockId);
  const before = {
    blockId: edit.blockId,
    generationStamp: blocks.generationStamp.get(block),
    lengthBytes: blocks.lengthBytes.get(block),
  };
  changeSpace(namespace, blocks.file.get(block), () => {
    blocks.generationStamp.set(block, edit.generationStamp);
    blocks.lengthBytes.set(block, edit.lengthBytes);
    blocks.state.set(block, edit.state);
  });
  noteStamp(namespace, edit.generationStamp);
  namespace.onBlockChanged(block, before);
}

function applyRemoveBlock(namespace: Namespace, { blockId }: EditOf<'removeBlock'>): void {
  const { blocks, inodes } = namespace;
  const block = blockRowOf(namespace, blockId);
  const file = blocks.file.get(block);
  const last = inodes.contents.count.get(file) - 1;
  assert(inodes.contents.at(file, last) === block, 'only the last block of a file is taken out');
  changeSpace(namespace, file, () => {
    inodes.contents.remove(file, last);
    namespace.onBlockRemoved(block);
    blocks.free(block);
  });
}

function applyClose(namespace: Namespace, { fileId, timeMs }: EditOf<'close'>): void {
  const { inodes, blocks } = namespace;
  const row = openRowOf(namespace, fileId);
  changeSpace(namespace, row, () => {
    for (let index = 0; index < inodes.contents.count.get(row); index++) {
      blocks.state.set(inodes.contents.at(row, index), blockStates.complete);
    }
  });
  namespace.setWriter(row, null);
  inodes.modifiedMs.set(row, timeMs);
}

/** Of what an inode and all below it come to, all that is above it gets more or less. */
function chargeTree(namespace: Namespace, row: number, sign: 1 | -1): void {
  if (namespace.quotas.isEmpty) return;
  const { names, spaceBytes } = namespace.countsOf(row);
  const { parent } = namespace.inodes;
  namespace.quotas.charge(parent, parent.get(row), sign * names, sign * spaceBytes);
}

function changeSpace(namespace: Namespace, file: number, change: () => void): void {
  const isCounted = !namespace.quotas.isEmpty;
  const before = isCounted ? namespace.spaceOf(file) : 0;
  change();
  if (!isCounted) return;
  const { parent } = namespace.inodes;
  namespace.quotas.charge(parent, parent.get(file), 0, namespace.spaceOf(file) - before);
}

function noteStamp(namespace: Namespace, generationStamp: number): void {
  namespace.nextGenerationStamp = Math.max(namespace.nextGenerationStamp, generationStamp + 1);
}

function rowAt(namespace: Namespace, path: string): number {
  const { names, rows } = namespace.resolve(parsePath(path));
  const row = rows[names.length];
  assert(row !== undefined, `an edit's path "${path}" is there`);
  return row;
}

function placeOf(namespace: Namespace, path: string): { parent: number; name: Uint8Array } {
  const { names, rows } = namespace.resolve(parsePath(path));
  const parent = rows.at(-1);
  const name = names.at(-1);
  const isFree = rows.length === names.length && parent !== undefined && name !== undefined;
  assert(isFree, `an edit's new path "${path}" is free, and its parent is there`);
  assert(namespace.inodes.isDirectory(parent), `the parent of "${path}" is a directory`);
  return { parent, name };
}

function openRowOf(namespace: Namespace, fileId: number): number {
  const open = namespace.openFiles.get(fileId);
  assert(open !== undefined, `file ${fileId} of an edit is open`);
  return open.row;
}

function blockRowOf(namespace: Namespace, blockId: number): number {
  const row = namespace.blocks.find(blockId);
  assert(row >= 0, `block ${blockId} of an edit is there`);
  return row;
}
