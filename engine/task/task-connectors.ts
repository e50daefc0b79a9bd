/** What a task needs to reach other systems: the registry of connectors, its disk, its number and try. */
import type { SyncDisk } from '../../base/env/disk.ts';
import type { Timers } from '../../base/env/timers.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Connector, ProgramRing } from '../contracts/connector.ts';

export interface TaskConnectors {
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly disk: SyncDisk;
  readonly taskIndex: number;
  /** Which try of the task it is, from 1 on. */
  readonly attempt: number;
  /** For calls with a deadline. @defaultValue none can be made */
  readonly timers?: Pick<Timers, 'after'>;
  /** Makes the task run again, from any place. @defaultValue nothing */
  readonly ring?: () => void;
  /** By operator id, the ways to the program that runs the job. @defaultValue none */
  readonly programRings?: ReadonlyMap<string, ProgramRing>;
}

/** @throws PLAN_NO_CONNECTOR */
export function connectorOf(connectors: TaskConnectors['connectors'], name: string): Connector {
  const connector = connectors.get(name);
  if (connector !== undefined) return connector;
  throw typedError('PLAN_NO_CONNECTOR', `no connector named "${name}" in this slot`);
}

/** What connectors may use that wait for others: timers, and the bell of the task. */
export function waitingParts({ timers, ring }: Pick<TaskConnectors, 'timers' | 'ring'>) {
  return { ...(timers !== undefined && { timers }), ...(ring !== undefined && { ring }) };
}
