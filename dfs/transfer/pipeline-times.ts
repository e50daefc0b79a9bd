/**
 * How long the ends of a pipeline wait for each other. A node with more nodes behind it waits longer, so who stands next to the
 * one that is silent notices first and says which one it is; were all equal, the client would blame its own neighbour.
 */
export interface PipelineTimes {
  /** Of a node's own disk, for one packet. */
  readonly diskMs: number;
  /** Of the nodes behind: for each of them so much more. */
  readonly perNodeMs: number;
}

export const pipelineTimes: PipelineTimes = { diskMs: 8_000, perNodeMs: 4_000 };

/** How long to wait for `nodeCount` nodes. */
export function waitForNodesMs({ diskMs, perNodeMs }: PipelineTimes, nodeCount: number): number {
  return diskMs + perNodeMs * nodeCount;
}
