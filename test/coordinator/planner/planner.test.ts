/**
 * Goal: whatever a job's graph is, its plan is sound: schemas fit, rows that must meet do, and each task
 * count is right. What single plans look like is in test/plans, what they give in planner-rows.test.ts.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { deadLetterSchema } from '../../../engine/contracts/dead-letters.ts';
import { addColumnNames } from '../../../engine/expr/column-names.ts';
import {
  hasBuildSide,
  type OperatorSpec,
  type PhysicalGraph,
  type Vertex,
  vertexPorts,
} from '../../../engine/plan/physical-graph.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import { randomJobs } from '../../support/random-jobs.ts';

const parallelisms = fc.integer({ min: 1, max: 4 });

const namesOf = (schema: Schema | undefined) => schema?.fields.map((field) => field.name) ?? [];
const inEdges = ({ edges }: PhysicalGraph, { id }: Vertex) => edges.filter(({ to }) => to === id);
const outEdges = ({ edges }: PhysicalGraph, { id }: Vertex) =>
  edges.filter(({ from }) => from === id);

/** What comes in at a port of a vertex. */
function givenAt(graph: PhysicalGraph, vertex: Vertex, port: number): Schema {
  const edge = inEdges(graph, vertex).find((one) => one.port === port);
  return edge?.schema ?? { fields: [] };
}

const handingOn = ['filter', 'sort', 'top', 'partitionTop', 'limit', 'range', 'filterRows', 'sink'];
const isJoin = ({ kind }: OperatorSpec) => kind === 'join';

/** Plans of random jobs, with what was planned. */
function checkPlans(check: (graph: PhysicalGraph, parallelism: number) => void): void {
  fc.assert(
    fc.property(randomJobs(), parallelisms, (job, parallelism) => {
      check(planJob(job.graph, { parallelism }), parallelism);
    }),
  );
}

test('every operator finds its columns, and hands on what it should', () => {
  checkPlans((graph) => {
    for (const vertex of graph.vertices) {
      let input = givenAt(graph, vertex, vertexPorts.rows);
      let port: number = vertexPorts.build;
      for (const operator of vertex.chain) {
        if (isJoin(operator)) {
          const build = givenAt(graph, vertex, port++);
          input = { fields: [...input.fields, ...build.fields] };
        }
        for (const name of readsOf(operator)) {
          expect(namesOf(input), operator.kind).toContain(name);
        }
        if (handingOn.includes(operator.kind)) {
          expect(namesOf(operator.output), operator.kind).toEqual(namesOf(input));
        }
        input = operator.output;
      }
    }
  });
});

test('sources and sinks are those of the job, and sinks get all of their columns', () => {
  fc.assert(
    fc.property(randomJobs(), parallelisms, (job, parallelism) => {
      const graph = planJob(job.graph, { parallelism });
      const specs = graph.vertices.flatMap(({ chain }) => chain);
      for (const kind of ['source', 'sink'] as const) {
        const isSample = (spec: OperatorSpec) => spec.kind === 'source' && spec.isSample === true;
        const planned = specs.filter((spec) => spec.kind === kind && !isSample(spec));
        const wanted = job.graph.nodes.filter((node) => node.kind === kind);
        const isSink = kind === 'sink';
        const summary = (id: string, schema: Schema) => [id, isSink ? namesOf(schema) : ''].join();
        expect(planned.map(({ id, output }) => summary(id, output)).sort()).toEqual(
          wanted.map(({ id, schema }) => summary(id, schema)).sort(),
        );
      }
      for (const vertex of graph.vertices) {
        const hasSource = vertex.chain[0]?.kind === 'source';
        expect(inEdges(graph, vertex).some(({ port }) => port === 0)).toBe(!hasSource);
        const hasSink = vertex.chain.at(-1)?.kind === 'sink';
        expect(outEdges(graph, vertex).some(({ output }) => output === 0)).toBe(!hasSink);
      }
    }),
  );
});

test('edges fit the vertices that they join, and carry columns of their output', () => {
  checkPlans((graph, parallelism) => {
    const places = new Map(graph.vertices.map((vertex, at) => [vertex.id, { vertex, at }]));
    for (const edge of graph.edges) {
      const [from, to] = [places.get(edge.from), places.get(edge.to)];
      expect(from?.at).toBeLessThan(to?.at ?? -1);
      const given = edge.output === 0 ? from?.vertex.chain.at(-1)?.output : deadLetterSchema;
      const carried = namesOf(given).filter((name) => namesOf(edge.schema).includes(name));
      expect(namesOf(edge.schema)).toEqual(carried);
      const tasks = [from?.vertex.parallelism, to?.vertex.parallelism];
      switch (edge.exchange.kind) {
        case 'forward':
          expect(tasks[0]).toBe(tasks[1]);
          break;
        case 'gather':
        case 'merge':
          expect(tasks[1]).toBe(1);
          break;
        default:
          expect(tasks[1]).toBe(parallelism);
      }
    }
    if (parallelism === 1) {
      expect(graph.vertices.every((vertex) => vertex.parallelism === 1)).toBe(true);
      expect(graph.edges.every(({ exchange }) => exchange.kind === 'forward')).toBe(true);
    }
  });
});

test('edges that meet carry the same columns, and are merged all or none of them', () => {
  checkPlans((graph) => {
    for (const vertex of graph.vertices) {
      const edges = inEdges(graph, vertex);
      const ports = vertexPorts.build + vertex.chain.filter(hasBuildSide).length;
      expect(edges.every(({ port }) => port < ports)).toBe(true);
      for (let at = 0; at < ports; at++) {
        const same = edges.filter(({ port }) => port === at);
        const isSource = at === 0 && vertex.chain[0]?.kind === 'source';
        expect(same.length > 0, `port ${at}`).toBe(!isSource);
        expect(new Set(same.map(({ schema }) => JSON.stringify(schema))).size).toBeLessThan(2);
        const merges = same.filter(({ exchange }) => exchange.kind === 'merge');
        expect([0, same.length]).toContain(merges.length);
      }
    }
  });
});

test('rows of one key, and all rows of a limit or a sort, meet in one task', () => {
  checkPlans((graph) => {
    for (const vertex of graph.vertices.filter(({ parallelism }) => parallelism > 1)) {
      const rows = outEdges(graph, vertex).filter(({ output }) => output === 0);
      const given = inEdges(graph, vertex).filter(({ port }) => port === vertexPorts.rows);
      const kinds = [given, rows].map((edges) => [
        ...new Set(edges.map(({ exchange }) => exchange.kind)),
      ]);
      for (const [place, operator] of vertex.chain.entries()) {
        const before = place === 0 ? kinds[0] : ['chain'];
        const after = place === vertex.chain.length - 1 ? kinds[1] : ['chain'];
        const wanted = neighboursOf(operator, before);
        expect([wanted.before ?? before, wanted.after ?? after]).toEqual([before, after]);
      }
    }
  });
});

/** What must stand before and after an operator that runs in several tasks. */
function neighboursOf(
  operator: OperatorSpec,
  before: readonly string[] = [],
): { before?: string[]; after?: string[] } {
  switch (operator.kind) {
    case 'reduce':
      return { before: ['hash'] };
    case 'aggregate':
    case 'fold': {
      const meeting = operator.keys.length === 0 ? ['gather'] : ['hash'];
      return operator.phase === 'partial' ? { after: meeting } : { before: meeting };
    }
    case 'sort':
      return before.includes('range') ? { before: ['range'] } : { after: ['merge'] };
    case 'top':
      return { after: ['merge'] };
    case 'partitionTop':
      return { after: ['hash'] };
    case 'range':
      return { before: ['chain'], after: ['range'] };
    case 'limit':
      // None of each is none of all.
      return operator.count === 0 ? {} : { after: ['gather'] };
    default:
      return {};
  }
}

test('a plan is plain data, and frozen', () => {
  checkPlans((graph) => {
    expect(JSON.parse(JSON.stringify(graph))).toEqual(graph);
    expect(Object.isFrozen(graph.vertices[0]?.chain[0])).toBe(true);
  });
});

function readsOf(operator: OperatorSpec): Iterable<string> {
  const names = new Set<string>();
  switch (operator.kind) {
    case 'filter':
      addColumnNames(operator.predicate, names);
      return names;
    case 'project':
      for (const { expr } of operator.columns) addColumnNames(expr, names);
      return names;
    case 'repeat':
      return [operator.column, ...namesOf(operator.output)];
    case 'explodeWords':
    case 'assignWindows':
      return [operator.column, ...operator.carried];
    case 'aggregate':
      return [...operator.keys, ...operator.aggregates.flatMap(({ columns }) => columns)];
    case 'sort':
    case 'top':
    case 'range':
    case 'boundaries':
      return operator.order.map((key) => key.column);
    case 'partitionTop':
      return [...operator.partition, ...operator.order.map((key) => key.column)];
    case 'fold':
      return operator.keys;
    case 'join':
      if (operator.condition !== null) addColumnNames(operator.condition, names);
      return [...names, ...operator.probeKeys, ...operator.buildKeys, ...namesOf(operator.output)];
    default:
      return names;
  }
}
