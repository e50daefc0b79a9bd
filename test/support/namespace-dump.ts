/** All that a namespace holds, by path, in plain values: for comparing it with another, or with a reference. */
import type { Namespace } from '../../dfs/namenode/namespace/namespace.ts';
import { statusOf } from '../../dfs/namenode/operations/look.ts';

export function dumpNamespace(namespace: Namespace) {
  const { inodes, blocks, quotas } = namespace;
  const byPath: Record<string, object> = {};
  const visit = (row: number): void => {
    const contents = Array.from({ length: inodes.contents.count.get(row) }, (_, index) =>
      inodes.contents.at(row, index),
    );
    const isDirectory = inodes.isDirectory(row);
    byPath[namespace.pathOf(row)] = {
      ...statusOf(namespace, row, ''),
      isOpen: inodes.isOpen(row),
      writer: namespace.openFiles.get(inodes.id.get(row))?.clientName ?? null,
      quota: quotas.at(row),
      // As they have to be, counted anew.
      counted: quotas.at(row) === null ? null : namespace.countsOf(row),
      blocks: isDirectory
        ? []
        : contents.map((block) => ({
            id: blocks.id.get(block),
            stamp: blocks.generationStamp.get(block),
            lengthBytes: blocks.lengthBytes.get(block),
            state: blocks.state.get(block),
            isFound: blocks.find(blocks.id.get(block)) === block,
            isOfFile: blocks.file.get(block) === row,
          })),
    };
    if (isDirectory) for (const entry of contents) visit(entry);
  };
  visit(0);
  const { nextInodeId, nextBlockId, nextGenerationStamp } = namespace;
  const counts = {
    inodes: inodes.count,
    blocks: blocks.count,
    openFiles: namespace.openFiles.size,
  };
  return { byPath, counts, next: { nextInodeId, nextBlockId, nextGenerationStamp } };
}
