/**
 * Window reference: what windows give, row by row, in plain objects. A case is rows and watermarks; the rows
 * between two marks come in any order.
 */
import type { WindowSpec } from '../../../../engine/plan/window-spec.ts';
import type { Row, Step } from '../../../support/operator-harness.ts';

export interface TimedRow {
  readonly k: number | null;
  readonly at: number | null;
  readonly v: number | null;
}

interface Window {
  readonly start: number;
  readonly end: number;
}

export interface ReferenceOptions {
  readonly spec: WindowSpec;
  readonly allowedLatenessMs?: number;
  readonly isDiscarding?: boolean;
  readonly everyEventTimeMs?: number | null;
  readonly isLatePerRow?: boolean;
}

/** All windows that a moment is in, by trying every start near it. */
function windowsOf(spec: WindowSpec, at: number): Window[] {
  if (spec.kind === 'global')
    return [{ start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }];
  if (!('sizeMs' in spec)) throw new Error('not windows of a size');
  const { sizeMs, offsetMs } = spec;
  const found: Window[] = [];
  const isStart = (start: number, every: number) => (start - offsetMs) % every === 0;
  for (let start = at - sizeMs + 1; start <= at; start++) {
    if (spec.kind === 'tumbling' && isStart(start, sizeMs))
      found.push({ start, end: start + sizeMs });
    if (spec.kind === 'sliding' && isStart(start, spec.slideMs)) {
      found.push({ start, end: start + sizeMs });
    }
    if (spec.kind !== 'cumulating' || !isStart(start, sizeMs)) continue;
    for (let end = start + spec.stepMs; end <= start + sizeMs; end += spec.stepMs) {
      if (end > at) found.push({ start, end });
    }
  }
  return found;
}

interface Kept {
  readonly window: Window;
  readonly rows: TimedRow[];
  /** Keys with rows since the window was given out. */
  touched: Set<number | null>;
}

/** The rows that come out, with `{ watermark }` where one goes on, and the late rows. */
export function windowReference(
  steps: readonly Step[],
  { spec, allowedLatenessMs = 0, isDiscarding = false, ...when }: ReferenceOptions,
): { readonly rows: Row[]; readonly late: Row[] } {
  const kept = new Map<string, Kept>();
  const rows: Row[] = [];
  const late: Row[] = [];
  let watermark = Number.NEGATIVE_INFINITY;
  const giveOut = (one: Kept) => {
    rows.push(...groupsOf(one, spec));
    one.touched = new Set();
    if (isDiscarding) one.rows.length = 0;
  };
  const advance = (to: number) => {
    const { everyEventTimeMs: every = null } = when;
    const isTick = every !== null && Math.floor(to / every) > Math.floor(watermark / every);
    watermark = to;
    for (const one of kept.values()) if (one.window.end <= to || isTick) giveOut(one);
  };
  const add = (row: TimedRow) => {
    const windows = row.at === null ? [] : windowsOf(spec, row.at);
    const open = windows.filter(({ end }) => end + allowedLatenessMs > watermark);
    if (open.length === 0) late.push({ ...row, at: row.at === null ? null : BigInt(row.at) });
    for (const window of open) {
      const name = `${window.start} ${window.end}`;
      const one = kept.get(name) ?? { window, rows: [], touched: new Set() };
      kept.set(name, one);
      one.rows.push(row);
      one.touched.add(row.k);
      if (when.isLatePerRow === true && window.end <= watermark) giveOut(one);
    }
  };
  for (const step of steps) {
    if ('watermark' in step) {
      advance(step.watermark);
      rows.push({ watermark });
    } else if ('row' in step) add(step.row as unknown as TimedRow);
  }
  advance(Number.POSITIVE_INFINITY);
  return { rows, late };
}

function groupsOf({ window, rows, touched }: Kept, spec: WindowSpec): Row[] {
  const bounds =
    spec.kind === 'global'
      ? {}
      : { windowStart: BigInt(window.start), windowEnd: BigInt(window.end) };
  return [...touched].map((k) => {
    return { ...bounds, k, ...resultsOf(rows.filter((row) => row.k === k)) };
  });
}

/** count of rows, sum, least and average of v. */
export function resultsOf(rows: readonly TimedRow[]): Row {
  const values = rows.flatMap(({ v }) => (v === null ? [] : [v]));
  const sum = values.reduce((total, value) => total + value, 0);
  const isEmpty = values.length === 0;
  return {
    n: BigInt(rows.length),
    sum: isEmpty ? null : BigInt(sum),
    least: isEmpty ? null : Math.min(...values),
    mean: isEmpty ? null : sum / values.length,
  };
}
