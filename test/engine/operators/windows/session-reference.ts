/** Session reference: what sessions give, row by row, in plain objects. */
import type { Row, Step } from '../../../support/operator-harness.ts';
import { resultsOf, type TimedRow } from './window-reference.ts';

interface Session {
  readonly k: number | null;
  readonly start: number;
  readonly last: number;
  readonly rows: readonly TimedRow[];
  isTouched: boolean;
}

interface SessionReferenceOptions {
  readonly gapMs: number;
  readonly allowedLatenessMs?: number;
  readonly isLatePerRow?: boolean;
}

/** The rows that come out, with `{ watermark }` where one goes on, and the late rows. */
export function sessionReference(
  steps: readonly Step[],
  { gapMs, allowedLatenessMs = 0, isLatePerRow = false }: SessionReferenceOptions,
): { readonly rows: Row[]; readonly late: Row[] } {
  let open: Session[] = [];
  const rows: Row[] = [];
  const late: Row[] = [];
  let watermark = Number.NEGATIVE_INFINITY;
  const giveOut = (to: number) => {
    for (const session of open) {
      if (!session.isTouched || session.last + gapMs > to) continue;
      const bounds = {
        windowStart: BigInt(session.start),
        windowEnd: BigInt(session.last + gapMs),
      };
      rows.push({ ...bounds, k: session.k, ...resultsOf(session.rows) });
      session.isTouched = false;
    }
  };
  const advance = (to: number) => {
    watermark = to;
    giveOut(to);
    open = open.filter(({ last }) => last + gapMs + allowedLatenessMs > to);
  };
  const add = (row: TimedRow, at: number) => {
    const near = open.filter(({ k, start, last }) => {
      return k === row.k && start - gapMs <= at && at <= last + gapMs;
    });
    if (near.length === 0 && at + gapMs + allowedLatenessMs <= watermark) {
      late.push({ ...row, at: BigInt(at) });
      return;
    }
    open = open.filter((session) => !near.includes(session));
    open.push({
      k: row.k,
      start: Math.min(at, ...near.map(({ start }) => start)),
      last: Math.max(at, ...near.map(({ last }) => last)),
      rows: [...near.flatMap((session) => session.rows), row],
      isTouched: true,
    });
    if (isLatePerRow) giveOut(watermark);
  };
  for (const step of steps) {
    if ('watermark' in step) {
      advance(step.watermark);
      rows.push({ watermark });
    } else if ('row' in step) {
      const row = step.row as unknown as TimedRow;
      if (row.at === null) late.push({ ...row });
      else add(row, row.at);
    }
  }
  advance(Number.POSITIVE_INFINITY);
  return { rows, late };
}
