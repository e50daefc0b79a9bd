/**
 * `explain --code`: what each operator of a physical graph runs as, and why an expression is not
 * compiled. It compiles the expressions as the operators will, so what it says is what happens.
 *
 *     filter    compiled, 402 bytes    price > 100
 *     project   compiled, 512 bytes    total = price * quantity
 *               reference              kind = matches(url, "^/a")      no rule for matches
 */
import { assertNever } from '../../base/assert.ts';
import type { Expr } from '../expr/expr.ts';
import { exprText, namedExprText } from '../expr/expr-text.ts';
import { labelOf, tableText } from '../plan/explain.ts';
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
      parts: partsOf(operator),
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

function partsOf(operator: OperatorSpec): CodePart[] {
  const { id } = operator;
  switch (operator.kind) {
    case 'source':
    case 'sink':
      return [connectorPart(operator)];
    case 'filter':
    case 'project':
      return rowParts(operator);
    case 'explodeWords':
      return [kernels('tokenise')];
    case 'repeat':
      return [kernels('take')];
    case 'assignWindows':
    case 'eachWindow':
      return [kernels('window')];
    case 'windowAggregate':
      return [kernels('window, group, accumulate, table')];
    case 'aggregate':
    case 'firstRows':
    case 'runningAggregate':
      return [kernels('group, accumulate, table')];
    case 'fold':
    case 'combine':
      return [driver(id), kernels('group, order-groups')];
    case 'join':
      return joinParts(operator.condition, 'join, group, take, gather');
    case 'intervalJoin':
    case 'regularJoin':
      return joinParts(operator.condition, 'band, join, group, take, gather');
    case 'asOfJoin':
    case 'asOfProbe':
      return [kernels('band, versions, join, group, take, gather')];
    case 'registers':
      return [kernels('registers')];
    case 'digest':
      return [kernels('sort-encode, sort-rows, gather, segments, digest')];
    case 'analytic':
    case 'orderedAggregate':
    case 'orderedWindow':
      return [kernels('sort-encode, sort-rows, gather, segments, accumulate, scan')];
    case 'partitionTop':
      return [kernels('sort-encode, sort-rows, gather, segments')];
    case 'sort':
    case 'top':
    case 'runningTop':
    case 'boundaries':
      return [kernels('sort-encode, sort-rows, gather')];
    case 'range':
      return [kernels('sort-encode, range-rows')];
    case 'limit':
    case 'ingestionTime':
      return [{ runs: 'none', what: operator.kind === 'limit' ? 'counts rows' : 'asks the clock' }];
    case 'checkTimes':
    case 'eventTime':
      return [kernels('event-time')];
    case 'lookup':
      return [{ runs: 'none', what: `function of ${id}, answers in JavaScript` }];
    case 'pattern':
      return [{ runs: 'none', what: `automaton in JavaScript, functions of ${id}` }];
    case 'process':
    case 'filterRows':
    case 'mapRows':
    case 'flatMap':
    case 'map':
      return [driver(id)];
    case 'windowFunction':
    case 'reduce':
      return [driver(id), kernels('sort-encode, sort-rows, gather')];
    default:
      return assertNever(operator);
  }
}

function connectorPart(operator: OperatorSpec & { readonly kind: 'source' | 'sink' }): CodePart {
  return operator.kind === 'source'
    ? { runs: 'connector', what: `reader of ${operator.source.connector}` }
    : { runs: 'connector', what: `writer of ${operator.sink.connector}` };
}

function rowParts(operator: OperatorSpec & { readonly kind: 'filter' | 'project' }): CodePart[] {
  if (operator.kind === 'filter') {
    const named = { expr: operator.predicate, text: exprText(operator.predicate) };
    return [...expressionParts('filter', [named]), kernels('take, where few rows are left')];
  }
  const computed = operator.columns.filter(({ expr }) => expr.kind !== 'column');
  if (computed.length === 0) return [{ runs: 'none', what: 'columns as they are' }];
  const named = computed.map((column) => ({ expr: column.expr, text: namedExprText(column) }));
  return expressionParts('project', named);
}

function joinParts(condition: Expr | null, names: string): CodePart[] {
  const parts = [kernels(names)];
  if (condition === null) return parts;
  const named = { expr: condition, text: exprText(condition) };
  return [...expressionParts('filter', [named]), ...parts];
}

function kernels(what: string): CodePart {
  return { runs: 'kernels', what };
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
