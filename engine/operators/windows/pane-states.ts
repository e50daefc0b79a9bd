/**
 * What the open panes of a window operator have of a key that somebody asks for. Windows are merged of panes when they
 * come out, so panes are what there is before; windows side by side have one each. Of a pane on disk only what is in
 * memory is looked at: it is shown without values where the key may be in it.
 */
import type { Json } from '../../contracts/json.ts';
import type { Field } from '../../schema/schema.ts';
import type { AggregateResult } from '../aggregate-plan.ts';
import { GroupOfKey } from '../key-state/group-of-key.ts';
import { shownTime } from '../key-state/shown-value.ts';
import type { OperatorContext } from '../operator.ts';
import type { Pane } from './open-panes.ts';
import type { WindowPanes } from './window-panes.ts';
import type { ZoneClock } from './zone-clock.ts';

export interface PaneStatesOptions {
  readonly panes: WindowPanes;
  readonly clock: ZoneClock;
  readonly open: readonly Pane[];
  /** Keys, then results. */
  readonly columns: readonly Field[];
  readonly keyCount: number;
  readonly results: readonly AggregateResult[];
  readonly key: string;
}

/** `{ panes: [{ start, end, values }] }`, in order of time; undefined when no pane has the key. @throws STATE_KEY_INVALID */
export function paneStates(context: OperatorContext, options: PaneStatesOptions): Json | undefined {
  const { panes, clock, open, columns, keyCount, results, key } = options;
  const [fields, shown] = [columns.slice(0, keyCount), columns.slice(keyCount)];
  const group = new GroupOfKey(context, { fields, shown, results }, key);
  const found: Json[] = [];
  const timeOf = (place: number) => (panes.paneMs === 0 ? null : shownTime(clock.instantOf(place)));
  try {
    for (const { start, table, runs } of open) {
      const values = table === null ? undefined : group.valuesIn(table.groups);
      const isOnDisk = runs.length > 0;
      if (values === undefined && !isOnDisk) continue;
      const bounds = { start: timeOf(start), end: timeOf(start + panes.paneMs) };
      const shown = values === undefined ? bounds : { ...bounds, values };
      found.push(isOnDisk ? { ...shown, isPartOnDisk: true } : shown);
    }
  } finally {
    group.close();
  }
  return found.length === 0 ? undefined : { panes: found };
}
