/** Checkpoint modes: what a job asks for, and what its sinks can promise by it. */

/**
 * How a barrier goes on:
 *
 *     aligned         rows behind it wait until it has come on all channels of a task; with a time it turns unaligned then
 *     unaligned       it overtakes the rows in front of it, which are kept in the checkpoint
 *     at-least-once   nothing waits: rows behind it may be in the checkpoint, and come again behind a restart
 */
export type CheckpointMode = 'aligned' | 'unaligned' | 'at-least-once';

export const checkpointModes: readonly CheckpointMode[] = ['aligned', 'unaligned', 'at-least-once'];
