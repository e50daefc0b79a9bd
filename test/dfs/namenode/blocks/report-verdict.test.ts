/** Goal: only a replica that is the block counts as one, and nothing is thrown away that may be the last of something. */
import { expect, test } from 'vitest';
import { judgeReplica } from '../../../../dfs/namenode/blocks/report-verdict.ts';
import { remove } from '../../../../dfs/namenode/operations/remove.ts';
import { append } from '../../../../dfs/namenode/operations/reopen.ts';
import type { ReplicaState } from '../../../../dfs/protocol/block.ts';
import { WriterScene } from '../../../support/writer-scene.ts';

/** /f has a block of 50 bytes; its stamp was 1,001 and is 1,003; the namenode has given out 1,005. */
function scene(isOpen: boolean) {
  const made = new WriterScene();
  made.written('/f', [50]);
  const { blocks } = made.namespace;
  blocks.generationStamp.set(0, 1_003);
  made.namespace.nextGenerationStamp = 1_006;
  if (isOpen) made.write(append, { path: '/f', clientName: 'second', newBlock: false });
  return made;
}

const blockId = 1_073_741_825;

test.each`
  state                        | stamp    | length | closed        | open
  ${'finalized'}               | ${1_003} | ${50}  | ${'live'}     | ${'expected'}
  ${'finalized'}               | ${1_003} | ${49}  | ${'wrong'}    | ${'expected'}
  ${'finalized'}               | ${1_003} | ${51}  | ${'wrong'}    | ${'expected'}
  ${'finalized'}               | ${1_001} | ${50}  | ${'wrong'}    | ${'wrong'}
  ${'finalized'}               | ${1_005} | ${50}  | ${'wrong'}    | ${'expected'}
  ${'finalized'}               | ${1_006} | ${50}  | ${'future'}   | ${'future'}
  ${'being-written'}           | ${1_003} | ${30}  | ${'expected'} | ${'expected'}
  ${'being-written'}           | ${1_001} | ${50}  | ${'wrong'}    | ${'wrong'}
  ${'being-written'}           | ${1_005} | ${70}  | ${'wrong'}    | ${'expected'}
  ${'waiting-to-be-recovered'} | ${1_003} | ${50}  | ${'wrong'}    | ${'expected'}
  ${'waiting-to-be-recovered'} | ${1_001} | ${50}  | ${'wrong'}    | ${'wrong'}
  ${'under-recovery'}          | ${1_003} | ${50}  | ${'unready'}  | ${'unready'}
  ${'temporary'}               | ${1_003} | ${50}  | ${'unready'}  | ${'unready'}
`('$state with stamp $stamp and $length bytes: $closed, while it is written $open', (row) => {
  const { state, stamp: generationStamp, length: lengthBytes } = row;
  const replica = { blockId, generationStamp, lengthBytes, state: state as ReplicaState };
  expect(judgeReplica(scene(false).namespace, replica)).toBe(row.closed);
  expect(judgeReplica(scene(true).namespace, replica)).toBe(row.open);
});

test('of a block that is gone a replica is unneeded, of one that never was it is not touched', () => {
  const made = scene(false);
  made.run(remove, { path: '/f', isRecursive: false });
  const replica = { blockId, generationStamp: 1_003, lengthBytes: 50, state: 'finalized' } as const;
  expect(judgeReplica(made.namespace, replica)).toBe('unneeded');
  expect(judgeReplica(made.namespace, { ...replica, blockId: blockId + 1 })).toBe('future');
});
