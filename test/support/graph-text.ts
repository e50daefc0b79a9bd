/**
 * Physical graphs from a line of text, for tests of what only looks at their shape:
 *
 *     a>b      a forward edge, a ring       vertices of two tasks, in the order in which they are named;
 *     a*b      a hash edge, a ring          a name with a dot has one task
 *     a/b      a hash edge, blocking
 */
import type { Edge, OperatorSpec, PhysicalGraph } from '../../engine/plan/physical-graph.ts';

type Kind = OperatorSpec['kind'];

/** @param kinds - By vertex: the operators of its chain. @defaultValue a filter */
export function graphOf(text: string, kinds: Readonly<Record<string, Kind[]>> = {}): PhysicalGraph {
  const parts = text.split(' ').map((one) => one.split(/([>*/])/));
  const edges = parts.flatMap(([from = '', sign, to = ''], index): Edge[] => {
    if (sign === undefined) return [];
    const exchange =
      sign === '>' ? ({ kind: 'forward' } as const) : ({ kind: 'hash', columns: [] } as const);
    const place = { id: `e${index + 1}`, from, to, output: 0, port: 0 };
    return [{ ...place, exchange, isBlocking: sign === '/', schema: { fields: [] } }];
  });
  const names = [
    ...new Set(parts.flatMap(([from = '', , to]) => (to === undefined ? [from] : [from, to]))),
  ];
  const vertices = names.map((id) => ({
    id,
    name: id,
    parallelism: id.endsWith('.') ? 1 : 2,
    chain: (kinds[id] ?? ['filter']).map(
      (kind) => ({ kind, id, name: id }) as unknown as OperatorSpec,
    ),
  }));
  return { jobName: 'shape', parallelism: 2, vertices, edges };
}
