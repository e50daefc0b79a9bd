/** Parts of `explain` about functions over keyed state, and patterns. */
import { namedExprText } from '../expr/expr-text.ts';
import { typeText } from '../schema/field-type.ts';
import { processKeys } from './explain-groups.ts';
import type { LogicalNode } from './logical-graph.ts';
import { patternText } from './pattern-spec.ts';
import type { OperatorSpec } from './physical-graph.ts';
import type { StateSpec } from './state-spec.ts';

/** `by user: onRow, onTimer; count value<int64>, seen map<utf8, int64>`. */
export function processNodeText({
  keys,
  hasTimers,
  states,
}: LogicalNode & { readonly kind: 'process' }): string {
  const functions = hasTimers ? 'onRow, onTimer' : 'onRow';
  return `by ${keys.map(namedExprText).join(', ')}: ${functions}${statesText(states)}`;
}

export function processOperatorText(operator: OperatorSpec & { readonly kind: 'process' }): string {
  const by = `by ${processKeys(operator).join(', ')}`;
  return `${by}: functions of ${operator.id}${statesText(operator.states)}`;
}

/** `by account: small next large within 60000 ms`. */
export function patternNodeText(node: LogicalNode & { readonly kind: 'pattern' }): string {
  return `by ${node.keys.map(namedExprText).join(', ')}: ${patternText(node.pattern)}`;
}

export function patternOperatorText(operator: OperatorSpec & { readonly kind: 'pattern' }): string {
  const by = `by ${processKeys(operator).join(', ')}`;
  return `${by}: ${patternText(operator.pattern)}${operator.isSorted ? ', rows sorted' : ''}`;
}

function statesText(states: readonly StateSpec[]): string {
  const texts = states.map(({ name, kind, key, value, ttl }) => {
    const types = [...(key === null ? [] : [key]), value].map(
      ({ type, nullable }) => `${typeText(type)}${nullable ? '?' : ''}`,
    );
    const life = ttl === null ? '' : ` for ${ttl.afterMs} ms of ${ttl.time} time`;
    return `${name} ${kind}<${types.join(', ')}>${life}`;
  });
  return texts.length === 0 ? '' : `; ${texts.join(', ')}`;
}
