/** Parts of `explain` about the ends of a graph: what connectors were told, what a source may leave out, and the times of its rows. */
import type { SourceSpec } from '../contracts/connector.ts';
import type { Json } from '../contracts/json.ts';
import { exprText } from '../expr/expr-text.ts';
import type { EventTimeSpec } from './logical-graph.ts';
import type { OperatorSpec } from './physical-graph.ts';

/**
 * `files path "in", where price > 1, user among the keys of join1, a sample`: what it may leave rows out by is the
 * condition, and the keys that a join turns out to have.
 */
export function sourceText(operator: OperatorSpec & { readonly kind: 'source' }): string {
  const { source, isSample, isOrdered, filters = [] } = operator;
  const { predicate } = source;
  const where = predicate === undefined ? '' : `, where ${exprText(predicate)}`;
  const keys = filters.map(
    ({ join, columns }) => `, ${columns.join(', ')} among the keys of ${join}`,
  );
  const how = `${isSample ? ', a sample' : rateText(source)}${isOrdered ? ', in order of time' : ''}`;
  return `${connectorText(source)}${where}${keys.join('')}${how}`;
}

/** `, 1000 rows a second` */
export function rateText({ rate }: SourceSpec): string {
  return rate === undefined ? '' : `, ${rate} rows a second`;
}

/**
 * `files path "in", format {kind "text"}`; what is null was left open and is left out, and so are fields,
 * which stand beside it.
 */
export function connectorText({
  connector,
  options,
}: {
  connector: string;
  options: Json;
}): string {
  const text = optionText(options);
  return `${connector} ${text.startsWith('{') ? text.slice(1, -1) : text}`.trimEnd();
}

function optionText(value: Json): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(optionText).join(', ')}]`;
  const entries = Object.entries(value).filter(([, part]) => part !== null && !areFields(part));
  // A format without options of its own is its name.
  if (entries.length === 1 && entries[0]?.[0] === 'kind') return optionText(entries[0][1]);
  return `{${entries.map(([name, part]) => `${name} ${optionText(part)}`).join(', ')}}`;
}

function areFields(value: Json): boolean {
  const isField = (one: Json) => typeof one === 'object' && one !== null && 'nullable' in one;
  return Array.isArray(value) && value.length > 0 && value.every(isField);
}

/** `at, out of order by up to 1000 ms, idle after 5000 ms`. */
export function eventTimeText(spec: EventTimeSpec & { readonly putsAside?: true }): string {
  const { column, futureLimitMs, outOfOrdernessMs, idleAfterMs, putsAside, watermarkColumn } = spec;
  const { alignment: aligned } = spec;
  const follows = watermarkColumn === undefined ? '' : `, watermarks of ${watermarkColumn}`;
  const idle = idleAfterMs === null ? '' : `, idle after ${idleAfterMs} ms`;
  const aside = putsAside === true ? `, put aside beyond ${futureLimitMs} ms ahead` : '';
  const together =
    aligned === undefined ? '' : `, up to ${aligned.driftMs} ms ahead of "${aligned.group}"`;
  return `${column}${follows}, out of order by up to ${outOfOrdernessMs} ms${idle}${together}${aside}`;
}

export function ingestionTimeText({ column }: { readonly column: string }): string {
  return `${column}, by the clock`;
}

export function checkTimesText({
  column,
  futureLimitMs,
}: OperatorSpec & { readonly kind: 'checkTimes' }): string {
  return `${column}, up to ${futureLimitMs} ms ahead`;
}
