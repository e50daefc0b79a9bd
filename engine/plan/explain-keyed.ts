/** Parts of `explain` about functions over keyed state, and patterns. */
import { namedExprText } from '../expr/expr-text.ts';
import { typeText } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';
import { processKeys } from './explain-groups.ts';
import type { LogicalNode } from './logical-graph.ts';
import { patternText } from './pattern-spec.ts';
import type { OperatorSpec } from './physical-graph.ts';
import type { ControlSpec, StateSpec } from './state-spec.ts';

/** `by user: onRow, onTimer, onControl; count value<int64>, rules broadcast<utf8, int64>`. */
export function processNodeText(node: LogicalNode & { readonly kind: 'process' }): string {
  const { keys, hasTimers, states, control } = node;
  const timer = hasTimers ? ', onTimer' : '';
  const functions = `onRow${timer}${control === null ? '' : ', onControl'}`;
  return `by ${keys.map(namedExprText).join(', ')}: ${functions}${statesText(states, control)}`;
}

/** `by user: functions of process; rules broadcast<utf8, int64>; control first`. */
export function processOperatorText(operator: OperatorSpec & { readonly kind: 'process' }): string {
  const { id, states, control } = operator;
  const by = `by ${processKeys(operator).join(', ')}`;
  return `${by}: functions of ${id}${statesText(states, control)}${controlText(control)}`;
}

/** Whether control comes first, and whether it has a say in how far time has come. */
function controlText(control: (OperatorSpec & { readonly kind: 'process' })['control']): string {
  if (control === null) return '';
  if (control.isFirst) return '; control first';
  return control.timeColumn === null
    ? '; control as it comes'
    : `; control in time, by ${control.timeColumn}`;
}

/** `by account: small next large within 60000 ms`. */
export function patternNodeText(node: LogicalNode & { readonly kind: 'pattern' }): string {
  return `by ${node.keys.map(namedExprText).join(', ')}: ${patternText(node.pattern)}`;
}

export function patternOperatorText(operator: OperatorSpec & { readonly kind: 'pattern' }): string {
  const by = `by ${processKeys(operator).join(', ')}`;
  return `${by}: ${patternText(operator.pattern)}${operator.isSorted ? ', rows sorted' : ''}`;
}

function statesText(states: readonly StateSpec[], control: ControlSpec | null): string {
  const keyed = states.map(({ name, kind, key, value, ttl }) => {
    const life = ttl === null ? '' : ` for ${ttl.afterMs} ms of ${ttl.time} time`;
    return `${name} ${kind}<${fieldTypesText(key === null ? [value] : [key, value])}>${life}`;
  });
  const broadcast = (control?.states ?? []).map(
    ({ name, key, value }) => `${name} broadcast<${fieldTypesText([key, value])}>`,
  );
  const texts = [...keyed, ...broadcast];
  return texts.length === 0 ? '' : `; ${texts.join(', ')}`;
}

function fieldTypesText(fields: readonly Field[]): string {
  return fields.map(({ type, nullable }) => `${typeText(type)}${nullable ? '?' : ''}`).join(', ');
}
