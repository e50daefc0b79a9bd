/**
 * `explain --code`: what each operator of a physical graph runs as, and why an expression is not
 * compiled. It compiles the expressions as the operators will, so what it says is what happens.
 *
 *     filter    compiled, 402 bytes    price > 100
 *     project   compiled, 512 bytes    total = price * quantity
 *               reference              kind = matches(url, "^/a")      no rule for matches
 */
import type { Expr } from '../expr/expr.ts';
import { exprText, namedExprText } from '../expr/expr-text.ts';
import { labelOf, tableText } from '../plan/explain.ts';
import { applyTable, type SpecTable } from '../plan/operator-table.ts';
import type { OperatorSpec, PhysicalGraph } from '../plan/physical-graph.ts';
import { compileProgram, type ProgramKind, reasonAgainst } from './program/expr-program.ts';

/** One part of an operator, and what it runs as. */
export interface CodePart {
  /**
   * `compiled`: WebAssembly made for this job. `reference`: row by row in JavaScript, slowly. `driver`:
   * JavaScript made around a user's function. `kernels`: WebAssembly made ahead, by the names of files
   * in engine/kernels. `connector`: a source's reader or a sink's writer. `none`: no loop over rows.
   */
  readonly runs: 'compiled' | 'reference' | 'driver' | 'kernels' | 'connector' | 'none';
  readonly what: string;
  /** Why not compiled. */
  readonly reason?: string;
  /** Bytes of the program. */
  readonly sizeBytes?: number;
}

export interface OperatorCode {
  readonly id: string;
  readonly operator: string;
  readonly parts: readonly CodePart[];
}

export interface VertexCode {
  readonly vertex: string;
  readonly operators: readonly OperatorCode[];
}

/** What every operator runs as, in the order of the graph. */
export function codeOf(graph: PhysicalGraph): VertexCode[] {
  return graph.vertices.map(({ id, chain }) => ({
    vertex: id,
    operators: chain.map((operator) => ({
      id: operator.id,
      operator: labelOf(operator.kind, operator.name),
      parts: applyTable(parts, operator),
    })),
  }));
}

/** The same as text. */
export function explainCode(graph: PhysicalGraph): string {
  const vertices = codeOf(graph).map(({ vertex, operators }) => {
    const rows = operators.flatMap(({ operator, parts }) =>
      parts.map((part, index) => [
        index === 0 ? operator : '',
        runsText(part),
        part.what,
        part.reason ?? '',
      ]),
    );
    return `  ${vertex}\n${tableText(rows, '    ')}`;
  });
  return `code of ${graph.jobName}\n${vertices.join('')}`;
}

function runsText({ runs, sizeBytes }: CodePart): string {
  return sizeBytes === undefined ? runs : `${runs}, ${sizeBytes} bytes`;
}

const sortingKernels = 'sort-encode, sort-rows, gather';
const groupingKernels = 'group, accumulate, table';
const scanningKernels = `${sortingKernels}, segments, accumulate, scan`;
const versionKernels = 'band, versions, join, group, take, gather';
const bandJoinKernels = 'band, join, group, take, gather';

const parts: SpecTable<OperatorSpec, CodePart[]> = {
  source: ({ source }) => [{ runs: 'connector', what: `reader of ${source.connector}` }],
  sink: ({ sink }) => [{ runs: 'connector', what: `writer of ${sink.connector}` }],

  filter({ predicate }) {
    const named = { expr: predicate, text: exprText(predicate) };
    return [...expressionParts('filter', [named]), kernels('take, where few rows are left')];
  },
  project({ columns }) {
    const computed = columns.filter(({ expr }) => expr.kind !== 'column');
    if (computed.length === 0) return [nothing('columns as they are')];
    const named = computed.map((column) => ({ expr: column.expr, text: namedExprText(column) }));
    return expressionParts('project', named);
  },
  explodeWords: () => [kernels('tokenise')],
  assignWindows: () => [kernels('window')],
  eachWindow: () => [kernels('window')],
  repeat: () => [kernels('take')],
  registers: () => [kernels('registers')],
  limit: () => [nothing('counts rows')],

  eventTime: () => [kernels('event-time')],
  ingestionTime: () => [nothing('asks the clock')],
  checkTimes: () => [kernels('event-time')],

  aggregate: () => [kernels(groupingKernels)],
  orderedAggregate: () => [kernels(scanningKernels)],
  digest: () => [kernels(`${sortingKernels}, segments, digest`)],
  runningAggregate: () => [kernels(groupingKernels)],
  firstRows: () => [kernels(groupingKernels)],
  windowAggregate: () => [kernels(`window, ${groupingKernels}`)],
  orderedWindow: () => [kernels(scanningKernels)],

  sort: () => [kernels(sortingKernels)],
  top: () => [kernels(sortingKernels)],
  runningTop: () => [kernels(sortingKernels)],
  boundaries: () => [kernels(sortingKernels)],
  range: () => [kernels('sort-encode, range-rows')],
  partitionTop: () => [kernels(`${sortingKernels}, segments`)],
  analytic: () => [kernels(scanningKernels)],

  join: ({ condition }) => joinParts(condition, 'join, group, take, gather'),
  intervalJoin: ({ condition }) => joinParts(condition, bandJoinKernels),
  asOfJoin: () => [kernels(versionKernels)],
  asOfProbe: () => [kernels(versionKernels)],
  regularJoin: ({ condition }) => joinParts(condition, bandJoinKernels),

  lookup: ({ id }) => [nothing(`function of ${id}, answers in JavaScript`)],
  filterRows: ({ id }) => [driver(id)],
  mapRows: ({ id }) => [driver(id)],
  flatMap: ({ id }) => [driver(id)],
  fold: ({ id }) => [driver(id), kernels('group, order-groups')],
  map: ({ id }) => [driver(id)],
  combine: ({ id }) => [driver(id), kernels('group, order-groups')],
  reduce: ({ id }) => [driver(id), kernels(sortingKernels)],
  process: ({ id }) => [driver(id)],
  windowFunction: ({ id }) => [driver(id), kernels(sortingKernels)],
  pattern: ({ id }) => [nothing(`automaton in JavaScript, functions of ${id}`)],
};

function joinParts(condition: Expr | null, names: string): CodePart[] {
  if (condition === null) return [kernels(names)];
  const named = { expr: condition, text: exprText(condition) };
  return [...expressionParts('filter', [named]), kernels(names)];
}

function kernels(what: string): CodePart {
  return { runs: 'kernels', what };
}

/** No loop over rows. */
function nothing(what: string): CodePart {
  return { runs: 'none', what };
}

function driver(id: string): CodePart {
  return { runs: 'driver', what: `function of ${id}` };
}

/** Compiled expressions share one program, whose size stands at the first. */
function expressionParts(
  kind: ProgramKind,
  named: readonly { expr: Expr; text: string }[],
): CodePart[] {
  const reasons = named.map(({ expr }) => reasonAgainst(expr));
  const exprs = named.flatMap(({ expr }, index) => (reasons[index] === null ? [expr] : []));
  const sizeBytes =
    exprs.length === 0 ? 0 : compileProgram({ kind, exprs, hasNulls: true }).bytes.length;
  return named.map(({ expr, text }, index): CodePart => {
    const reason = reasons[index];
    if (typeof reason === 'string') {
      return { runs: 'reference', what: text, reason: `no rule for ${reason}` };
    }
    return { runs: 'compiled', what: text, ...(expr === exprs[0] && { sizeBytes }) };
  });
}
