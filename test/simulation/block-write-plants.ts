/** Wrong parts for write pipelines: each is a mistake that a reader might let pass, and a judge must notice it. */
import type { Disk, FileId, OpenMode } from '../../base/env/disk.ts';
import { stepPipelineClient } from '../../dfs/client/pipeline-client.ts';
import { stepPipelineNode } from '../../dfs/datanode/pipeline/pipeline-node.ts';
import type { WritePlant } from '../../simulation/blocks/write-scenario.ts';

type NodeStep = typeof stepPipelineNode;
type ClientStep = typeof stepPipelineClient;

function changed<T extends object>(whole: T, replaced: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name) {
      const own = replaced[name as keyof T] ?? target[name as keyof T];
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}

/** Acknowledges what it has written itself. */
const waitsForNobody: NodeStep = (state, event, times) =>
  stepPipelineNode({ ...state, downstreamSequence: Number.POSITIVE_INFINITY }, event, times);

/** Acknowledges a packet when it comes. */
const acksBeforeWriting: NodeStep = (state, event, times) => {
  const first = stepPipelineNode(state, event, times);
  if (event.kind !== 'packet' || first.state.kind !== 'receiving') return first;
  const { sequence } = event.packet;
  const second = stepPipelineNode(first.state, { kind: 'written', sequence }, times);
  return { state: second.state, effects: [...first.effects, ...second.effects] };
};

/** Goes on alone when the node behind it is lost, and says nothing. */
const goesOnAlone: NodeStep = (state, event, times) => {
  if (event.kind !== 'downstreamClosed' || state.kind !== 'receiving') {
    return stepPipelineNode(state, event, times);
  }
  const alone = { ...state, downstreamSequence: Number.POSITIVE_INFINITY, downstreamCount: 0 };
  return stepPipelineNode(alone, { kind: 'written', sequence: state.writtenSequence }, times);
};

/** Sends again under a new stamp that the namenode was not told. */
const tellsNobody: ClientStep = (state, event, times) => {
  const first = stepPipelineClient(state, event, times);
  if (first.state.phase !== 'updating') return first;
  const nowMs = 'nowMs' in event ? event.nowMs : 0;
  return stepPipelineClient(first.state, { kind: 'updated', nowMs }, times);
};

/** What was sent once is not sent again. */
const sendsOnce: ClientStep = (state, event, times) => {
  const { state: next, effects } = stepPipelineClient(state, event, times);
  const isAgain = next.phase === 'streaming' && state.phase !== 'streaming' && next.attempt > 1;
  const last = next.unacked.at(-1);
  if (!isAgain || last === undefined || last.isLast) return { state: next, effects };
  const { sequence } = last;
  const acked = { ...next, unacked: [], ackedSequence: sequence, waitingSinceMs: null };
  return { state: acked, effects: [{ kind: 'acked', sequence }] };
};

/** Fsyncs of files whose path ends so are left out. */
const withoutFsyncOf =
  (ending: RegExp) =>
  (disk: Disk): Disk => {
    const left = new Set<FileId>();
    return changed(disk, {
      open: async (path: string, mode: OpenMode) => {
        const file = await disk.open(path, mode);
        if (ending.test(path)) left.add(file);
        return file;
      },
      fsync: async (file: FileId) => (left.has(file) ? undefined : await disk.fsync(file)),
    });
  };

export const blockWritePlants: Readonly<Record<string, WritePlant>> = {
  'a node waits for nobody behind it': { nodeStep: waitsForNobody },
  'a node acknowledges before it has written': { nodeStep: acksBeforeWriting },
  'a node goes on alone': { nodeStep: goesOnAlone },
  'the namenode is not told before packets go on': { clientStep: tellsNobody },
  'packets are not sent again': { clientStep: sendsOnce },
  'blocks are not fsynced': { disk: withoutFsyncOf(/blk_\d+$/) },
  'meta files are not fsynced': { disk: withoutFsyncOf(/\.meta$/) },
  'folders are not synced': { disk: (disk) => changed(disk, { syncDir: async () => undefined }) },
};
