/** The rows of every window of time, kept row by row, and the late ones: the reference of operators that keep them all. */
import {
  type WindowPanes,
  windowPanesOf,
} from '../../../../engine/operators/windows/window-panes.ts';
import type { TimeWindowSpec } from '../../../../engine/plan/window-spec.ts';
import type { Row, Step } from '../../../support/operator-harness.ts';

export interface Timed extends Row {
  readonly at: number | null;
}

/**
 * Rows and marks that come out, and the late rows.
 * @param give - What comes out of a window, whose rows are in the order in which they came.
 */
export function keptRowsReference<R extends Timed>(
  steps: readonly Step[],
  window: TimeWindowSpec,
  give: (
    rows: readonly R[],
    bounds: { readonly start: number; readonly end: number },
  ) => Iterable<Row>,
) {
  const panes = windowPanesOf(window);
  const open = new Map<number, R[]>();
  const rows: Row[] = [];
  const late: Row[] = [];
  let mark = Number.NEGATIVE_INFINITY;
  const advance = (to: number) => {
    for (const end of [...open.keys()].sort((a, b) => a - b)) {
      if (end > to) continue;
      rows.push(...give(open.get(end) ?? [], { start: panes.startOf(end), end }));
      open.delete(end);
    }
    mark = to;
  };
  for (const step of steps) {
    if ('row' in step) {
      const given = step.row as R;
      const ends = endsOf(given.at, { window, panes, mark });
      if (ends === null) late.push({ ...given, at: given.at === null ? null : BigInt(given.at) });
      for (const end of ends ?? []) open.set(end, [...(open.get(end) ?? []), given]);
    }
    if (!('watermark' in step)) continue;
    advance(step.watermark);
    rows.push({ watermark: mark });
  }
  advance(Number.POSITIVE_INFINITY);
  return { rows, late };
}

/** The ends of the windows that a row is in; null when it is late, or has no time where one is needed. */
function endsOf(
  at: number | null,
  { window, panes, mark }: { window: TimeWindowSpec; panes: WindowPanes; mark: number },
): number[] | null {
  const isGlobal = window.kind === 'global';
  const { paneMs, offsetMs } = panes;
  const near = Math.floor(((at ?? 0) - offsetMs) / paneMs) * paneMs + offsetMs;
  const pane = isGlobal ? 0 : near;
  if (!isGlobal && (at === null || panes.lastEndOf(pane) <= mark)) return null;
  const ends: number[] = [];
  for (let end = panes.nextEndOf(pane, mark); end !== null; end = panes.nextEndOf(pane, end)) {
    ends.push(end);
  }
  return ends;
}
