/** Texts of joins and lookups, as `explain` prints them. */
import { exprText } from '../expr/expr-text.ts';
import type { LogicalNode } from './logical-graph.ts';
import type { LookupSpec } from './lookup-spec.ts';
import type { OperatorSpec } from './physical-graph.ts';

/** `left, user = id and price > limit; right build side, broadcast`. */
export function joinNodeText(node: LogicalNode & { readonly kind: 'join' }): string {
  const { type, keys, condition, nearness, keep, buildSide, isBroadcast } = node;
  const pairs = keys.map(({ left, right }) => `${exprText(left)} = ${exprText(right)}`);
  const on = [...pairs, ...(condition === null ? [] : [exprText(condition)])].join(' and ');
  const sides = `${buildSide} side is built${isBroadcast ? ', broadcast' : ''}`;
  if (nearness?.kind === 'asOf') return `${type} on ${on} ${versionText(nearness)}`;
  const near = nearness?.kind === 'interval' ? ` ${nearnessText(nearness)}` : '';
  const ends =
    nearness?.kind === 'windows' ? ` and ${nearness.leftEnd} = ${nearness.rightEnd}` : '';
  const kept = keep === null ? '' : `; in a stream ${keepText(keep)}`;
  return `${type}${on === '' ? '' : ` on ${on}${ends}`}${near}; ${sides}${kept}`;
}

/** `left by user in order, 10000 ms, 3 attempts, 100 at once; 1000 answers for 60000 ms`. */
export function lookupText({ type, key, isOrdered, ...limits }: LookupSpec): string {
  const { timeoutMs, attemptsMax, capacity, cache } = limits;
  const order = isOrdered ? 'in order' : 'in any order';
  const known = cache.entriesMax === 0 ? '' : `; ${cache.entriesMax} answers for ${cache.ttlMs} ms`;
  return `${type} by ${key} ${order}, ${timeoutMs} ms, ${attemptsMax} attempts, ${capacity} at once${known}`;
}

/** `left on user = id within 0 ms before to 5000 ms after, at_2 of at`. */
export function intervalJoinText(
  operator: OperatorSpec & { readonly kind: 'intervalJoin' },
): string {
  const { type, leftKeys, rightKeys, leftTime, rightTime, condition } = operator;
  const pairs = leftKeys.map((name, index) => `${name} = ${rightKeys[index]}`);
  const on = [...pairs, ...(condition === null ? [] : [exprText(condition)])].join(' and ');
  const near = nearnessText({ ...operator, left: leftTime, right: rightTime });
  return `${type} on ${on} ${near}`;
}

/** `left on symbol = symbol_2 as of at, at_2 up to 60000 ms older`. */
export function asOfText(
  operator: OperatorSpec & { readonly kind: 'asOfJoin' | 'asOfProbe' },
): string {
  const { type, leftKeys, rightKeys, leftTime, rightTime } = operator;
  const on = leftKeys.map((name, index) => `${name} = ${rightKeys[index]}`).join(' and ');
  const version = versionText({ ...operator, left: leftTime, right: rightTime });
  return `${type} on ${on} ${version}`;
}

/** `left on user = id, rows kept 60000 ms`. */
export function regularJoinText(operator: OperatorSpec & { readonly kind: 'regularJoin' }): string {
  const { type, leftKeys, rightKeys, condition } = operator;
  const pairs = leftKeys.map((name, index) => `${name} = ${rightKeys[index]}`);
  const on = [...pairs, ...(condition === null ? [] : [exprText(condition)])].join(' and ');
  const { left, right } = operator.takesChanges;
  const changing = left && right ? 'both' : left ? 'left' : 'right';
  const changes = left || right ? `, rows go on ${changing}` : '';
  return `${type} on ${on}, ${keepText(operator)}${changes}`;
}

/** `rows kept 60000 ms`. */
function keepText({ ttlMs }: { readonly ttlMs: number | null }): string {
  return ttlMs === null ? 'all rows kept' : `rows kept ${ttlMs} ms`;
}

/** `windowEnd = each of 5 ends in 2000 ms from at, id`. */
export function eachWindowText(operator: OperatorSpec & { readonly kind: 'eachWindow' }): string {
  const { as, column, carried, periodMs, endsMs } = operator;
  const ends = `${as} = each of ${endsMs.length} ends in ${periodMs} ms from ${column}`;
  return [ends, ...carried].join(', ');
}

/** `as of at, at_2 up to 60000 ms older`. */
function versionText(version: {
  readonly left: string;
  readonly right: string;
  readonly toleranceMs: number | null;
}): string {
  const { left, right, toleranceMs } = version;
  return `as of ${left}, ${right}${toleranceMs === null ? '' : ` up to ${toleranceMs} ms older`}`;
}

/** `within 5000 ms before to 0 ms after, at_2 of at`. */
function nearnessText(near: {
  readonly left: string;
  readonly right: string;
  readonly beforeMs: number;
  readonly afterMs: number;
}): string {
  const { left, right, beforeMs, afterMs } = near;
  return `within ${beforeMs} ms before to ${afterMs} ms after, ${right} of ${left}`;
}

/** `left on user = id; right side is built`. */
export function hashJoinText(operator: OperatorSpec & { readonly kind: 'join' }): string {
  const { type, buildSide, probeKeys, buildKeys, condition, isProbeBuffered } = operator;
  const pairs = probeKeys.map((name, index) => `${name} = ${buildKeys[index]}`);
  const on = [...pairs, ...(condition === null ? [] : [exprText(condition)])].join(' and ');
  const sides = `${buildSide} side is built${isProbeBuffered ? ', the other is buffered' : ''}`;
  return `${type}${on === '' ? '' : ` on ${on}`}; ${sides}`;
}
