/** Parts of `explain` about functions over keyed state, and patterns. */
import { namedExprText } from '../expr/expr-text.ts';
import { typeText } from '../schema/field-type.ts';
import { processKeys } from './explain-groups.ts';
import type { LogicalNode } from './logical-graph.ts';
import { patternText } from './pattern-spec.ts';
import type { OperatorSpec } from './physical-graph.ts';
import type { StateSpec } from './state-spec.ts';

type Keyed = 'process' | 'pattern';

/** `by user: onRow, onTimer; count value<int64>, seen map<utf8, int64>`; `by account: small next large within 60000 ms`. */
export function keyedNodeText(node: LogicalNode & { readonly kind: Keyed }): string {
  const by = `by ${node.keys.map(namedExprText).join(', ')}`;
  if (node.kind === 'pattern') return `${by}: ${patternText(node.pattern)}`;
  return `${by}: ${node.hasTimers ? 'onRow, onTimer' : 'onRow'}${statesText(node.states)}`;
}

export function keyedOperatorText(operator: OperatorSpec & { readonly kind: Keyed }): string {
  const by = `by ${processKeys(operator).join(', ')}`;
  if (operator.kind === 'process') {
    return `${by}: functions of ${operator.id}${statesText(operator.states)}`;
  }
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
