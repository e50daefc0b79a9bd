/** What windows have: aggregates that are made of all rows of a window, or of several ways, need one that comes once. */
import { typedError } from '../../base/typed-error.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import { comesOnce, type EventWindow } from '../../engine/plan/window-spec.ts';

/** A window that comes again would be counted again, and sessions of one value are others than those of a key. */
export function checkOnce(
  node: LogicalNode,
  { spec, firing }: EventWindow,
  name: string,
  others: readonly string[] = [],
): void {
  const isOnce = comesOnce(firing);
  if (('sizeMs' in spec || others.includes(spec.kind)) && isOnce) return;
  const what = isOnce ? `${name} in ${spec.kind} windows` : `${name}, given out again`;
  throw windowUnsupported(node, what);
}

export function windowUnsupported({ name }: LogicalNode, what: string): Error {
  const message = `"${name}" has ${what}, which windows of a stream don't have`;
  return typedError('PLAN_WINDOW_UNSUPPORTED', message, {
    hint: 'Distinct values, quantiles and rows in an order: use tumbling, sliding or cumulating windows that come once. Others: see all rows of a window with window(…).process, or run the job as batch, by tumbling windows.',
    details: { operator: name },
  });
}
