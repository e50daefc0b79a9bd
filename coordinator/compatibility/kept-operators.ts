/**
 * What a checkpoint has of each operator of its job: the declaration, where its manifest has one, and whether anything is
 * there that would be lost.
 *
 * A manifest of the first version has no declarations: then states are those of the notes, and of other operators it is known
 * whether they are as they were.
 */
import type { Json } from '../../engine/contracts/json.ts';
import { isChannelKind } from '../../engine/plan/channel-ref.ts';
import type { DeclaredOperator, DeclaredState } from '../../engine/plan/declared-state.ts';
import type { CheckpointManifest, OperatorDescription } from '../checkpoint/checkpoint-manifest.ts';

export interface KeptOperator {
  readonly operatorId: string;
  /** Of the plan that was. */
  readonly descriptions: readonly OperatorDescription[];
  /** Null: the manifest does not say. */
  readonly declared: DeclaredOperator | null;
  readonly states: readonly DeclaredState[];
  /** What there is of it, as people call it; empty: nothing that would be lost. */
  readonly holds: readonly string[];
  readonly hasTimers: boolean;
}

/** In the order of the plan that was. */
export function keptOperators(manifest: CheckpointManifest): KeptOperator[] {
  const { operators, declared = [], splits, writes } = manifest;
  const named = operators.map(({ operatorId }) => operatorId);
  const ids = [...new Set([...named, ...Object.keys(splits), ...Object.keys(writes)])];
  return ids.map((operatorId) => {
    const found = declared.find((one) => one.operatorId === operatorId) ?? null;
    const holds = holdsOf(manifest, operatorId);
    return {
      ...{ operatorId, holds, declared: found },
      descriptions: operators.filter((one) => one.operatorId === operatorId),
      states: found?.states ?? notedStates(manifest, operatorId),
      hasTimers: holds.includes('timers'),
    };
  });
}

const timerParts: ReadonlySet<string> = new Set(['eventTimers', 'clockTimers']);
/** Notes of these are counts and times, which nobody misses. */
const countKinds: ReadonlySet<string> = new Set(['checkTimes', 'eventTime', 'ingestionTime']);

function holdsOf({ tasks, splits, writes }: CheckpointManifest, operatorId: string): string[] {
  // Rows on their way are no state of the operator's (coordinator/checkpoint/restore-check.ts).
  const snapshots = tasks.flatMap(({ operators }) =>
    operators.filter((one) => one.operatorId === operatorId && !isChannelKind(one.kind)),
  );
  const parts = snapshots.flatMap((one) => one.parts).filter(({ rowCount }) => rowCount > 0);
  const names = new Set(parts.map(({ part }) => (timerParts.has(part) ? 'timers' : part)));
  const isCounting = snapshots.some(({ kind, note }) => kind === 'limit' && note !== null);
  return [
    ...((splits[operatorId] ?? []).length > 0 ? ['positions'] : []),
    ...((writes[operatorId] ?? []).length > 0 ? ['rows to be committed'] : []),
    ...(isCounting ? ['count'] : []),
    ...(snapshots.every(({ kind }) => countKinds.has(kind)) ? [] : names),
  ];
}

/** As the operator noted them when it handed out its snapshot. */
function notedStates({ tasks }: CheckpointManifest, operatorId: string): DeclaredState[] {
  const notes = tasks.flatMap(({ operators }) =>
    operators.filter((one) => one.operatorId === operatorId).map(({ note }) => note),
  );
  const states = notes
    .map((note) => propertyOf(propertyOf(note, 'state') ?? note, 'states'))
    .find((one) => Array.isArray(one));
  const named = (states ?? []) as unknown as readonly Omit<DeclaredState, 'ttl'>[];
  return named.map((one) => ({ ...one, ttl: null }));
}

function propertyOf(of: Json, name: string): Json {
  if (typeof of !== 'object' || of === null || Array.isArray(of)) return null;
  return Object.entries(of).find(([key]) => key === name)?.[1] ?? null;
}
