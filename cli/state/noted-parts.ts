/**
 * What a checkpoint has of an operator besides rows of state, as rows too: where a source is, what a sink has prepared, what
 * operators have noted (counts, times).
 *
 *     positions    split, state (finished, open, waiting), position as JSON
 *     writes       checkpoint, task, write as JSON
 *     note         task, note as JSON; of operators that have no other part
 *
 * Before: cli/state/state-reading.ts. After: coordinator/checkpoint/checkpoint-manifest.ts.
 */
import type { CheckpointManifest } from '../../coordinator/checkpoint/checkpoint-manifest.ts';
import type { KnownSplit } from '../../coordinator/job/job-sources.ts';
import { int64Type, utf8Type } from '../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../engine/schema/schema.ts';

export interface NotedPart {
  readonly name: string;
  readonly schema: Schema;
  readonly rows: readonly (readonly unknown[])[];
}

const positionsSchema = schemaOf(
  fieldOf('split', utf8Type),
  fieldOf('state', utf8Type),
  fieldOf('position', utf8Type, true),
);
const writesSchema = schemaOf(
  fieldOf('checkpoint', int64Type),
  fieldOf('task', utf8Type),
  fieldOf('write', utf8Type),
);
const noteSchema = schemaOf(fieldOf('task', utf8Type), fieldOf('note', utf8Type));

/** Those that have rows. */
export function notedParts(manifest: CheckpointManifest, operatorId: string): NotedPart[] {
  const { writes, tasks } = manifest;
  const own = tasks.flatMap(({ taskId, operators }) =>
    operators.filter((one) => one.operatorId === operatorId).map((one) => ({ taskId, ...one })),
  );
  const hasParts = own.some(({ parts }) => parts.some(({ rowCount }) => rowCount > 0));
  const notes = hasParts ? [] : own.filter(({ note }) => note !== null);
  const parts: NotedPart[] = [
    { name: 'positions', schema: positionsSchema, rows: positionsOf(manifest, operatorId) },
    {
      ...{ name: 'writes', schema: writesSchema },
      rows: (writes[operatorId] ?? []).map(({ checkpointId, taskId, write }) => [
        ...[BigInt(checkpointId), taskId, JSON.stringify(write)],
      ]),
    },
    {
      ...{ name: 'note', schema: noteSchema },
      rows: notes.map(({ taskId, note }) => [taskId, JSON.stringify(note)]),
    },
  ];
  return parts.filter(({ rows }) => rows.length > 0);
}

function positionsOf({ splits, tasks }: CheckpointManifest, operatorId: string): unknown[][] {
  const known = (splits[operatorId] ?? []) as unknown as readonly KnownSplit[];
  const sources = tasks.flatMap(({ source }) =>
    source?.operatorId === operatorId ? [source] : [],
  );
  const finished = new Set(sources.flatMap((one) => one.finished));
  const open = new Map(
    sources.flatMap((one) => one.open.map(({ splitId, position }) => [splitId, position] as const)),
  );
  return known.map(({ id, isRead, position }) => {
    if (finished.has(id) || isRead === true) return [id, 'finished', null];
    const at = open.get(id);
    if (at !== undefined) return [id, 'open', JSON.stringify(at)];
    return [id, 'waiting', position === undefined ? null : JSON.stringify(position)];
  });
}
