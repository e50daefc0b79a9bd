/**
 * Lowering of `approxDistinct`: a HyperLogLog made of ordinary aggregates, so that it runs in two phases, on disk,
 * and by keys of any type as they do. Only registers that have seen a value are rows.
 *
 *     by user: n = approxDistinct(url)      registers  register, share of url     4,096 registers
 *                                           aggregate by user, register: share = min(share)
 *                                           project    share, null where it is 0: of nulls
 *                                           aggregate by user: sum = sum(share), seen = count(share)
 *                                           project    user, n = estimate of sum and seen
 *
 * A share is 2^-rank, where the rank of a register is that of HyperLogLog's papers. The estimate needs no table of
 * corrections: it is m² / (2 ln 2 · (sum + m · σ(1 - seen / m))) with σ(x) = x + Σ x^(2^k) · 2^(k-1), from which
 * its standard error follows: 1.04 / √4096 = 1.6 % at any count, and less for small ones.
 *
 * @see Ertl 2017, New cardinality estimation algorithms for HyperLogLog sketches: the improved raw estimator
 */
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  callExpr,
  castExpr,
  columnExpr,
  compareExpr,
  whenExpr,
} from '../../engine/expr/expr-factory.ts';
import { literalOfType, nullLiteral } from '../../engine/expr/literal.ts';
import { registerCount } from '../../engine/kernels/register-kernels.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import type { AggregateColumn, Exchange } from '../../engine/plan/physical-graph.ts';
import { firesOnce, type WindowFiring, type WindowSpec } from '../../engine/plan/window-spec.ts';
import { float64Type, int32Type, int64Type } from '../../engine/schema/field-type.ts';
import { type Field, fieldOf, freeName, type Schema } from '../../engine/schema/schema.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';

export interface ApproximateOptions {
  readonly keys: readonly Field[];
  /** All of `approxDistinct` of one column. */
  readonly aggregates: readonly AggregateColumn[];
  readonly output: Schema;
  /** In windows of event time, whose bounds are in front in the output. @defaultValue none */
  readonly window?: ApproximateWindow;
}

export interface ApproximateWindow {
  readonly spec: WindowSpec;
  readonly firing: WindowFiring;
  /** The time of a row. */
  readonly column: string;
  /** What is handed on to the operator that knows windows, besides keys. */
  readonly carried: readonly Field[];
  /** As of `LoweredStep`. */
  readonly aside?: readonly NamedExpr[];
}

/** Terms of σ: x is 1 - 1/4096 at most, and what is left out is below the 15th digit. */
const sigmaTerms = 18;

/** Whether these are aggregates that are lowered here. */
export function areApproximate(aggregates: readonly AggregateColumn[]): boolean {
  return aggregates.length > 0 && aggregates.every((one) => one.function === 'approxDistinct');
}

export function lowerApproximate(
  node: LogicalNode,
  { keys, aggregates, output, window }: ApproximateOptions,
): LoweredStep[] {
  const { id, name } = node;
  const [column = ''] = aggregates[0]?.columns ?? [];
  const bounds = window === undefined ? [] : output.fields.slice(0, 2);
  const carried = window?.carried ?? keys;
  const keyNames = keys.map((key) => key.name);
  const taken = new Set([...[...carried, ...output.fields].map((field) => field.name), column]);
  const register = fieldOf(freeName('register', taken), int32Type);
  const share = fieldOf(freeName('share', taken), float64Type);
  const sum = fieldOf(freeName('sum', taken), float64Type, true);
  const seen = fieldOf(freeName('seen', taken), int64Type);
  const plain = [...bounds, ...keys].map(
    (key): NamedExpr => ({ name: key.name, expr: columnExpr(key) }),
  );
  const marked = { fields: [register, share, ...carried] };
  const perRegister = [...keyNames, register.name];
  const [inner, outer] = groupingsOf({ id, name, phase: 'whole' }, bounds, window);
  const exchange: Exchange =
    keyNames.length === 0 ? { kind: 'gather' } : { kind: 'hash', columns: keyNames };
  const valid = projectOf(node, [
    ...plain,
    { name: share.name, expr: nullWhereZero(columnExpr(share)) },
  ]);
  const estimate = estimateOf(columnExpr(sum), columnExpr(seen));
  const results = aggregates.map((one): NamedExpr => ({ name: one.name, expr: estimate }));
  return [
    stepOf({
      ...{ id, name, output: marked, kind: 'registers', column },
      carried: carried.map((field) => field.name),
    }),
    {
      operator: {
        ...inner,
        output: { fields: [...bounds, ...keys, register, share] },
        keys: perRegister,
        aggregates: [{ name: share.name, function: 'min', columns: [share.name] }],
      },
      exchange: { kind: 'hash', columns: perRegister },
      ...(window?.aside !== undefined && { aside: window.aside }),
    },
    stepOf(valid),
    stepOf(
      {
        ...outer,
        output: { fields: [...bounds, ...keys, sum, seen] },
        keys: [...bounds.map((field) => field.name), ...keyNames],
        aggregates: [
          { name: sum.name, function: 'sum', columns: [share.name] },
          { name: seen.name, function: 'count', columns: [share.name] },
        ],
      },
      exchange,
    ),
    stepOf({ ...projectOf(node, [...plain, ...results]), output }),
  ];
}

type Grouped = { readonly id: string; readonly name: string; readonly phase: 'whole' };

/** How registers are grouped, and then the groups of these: both of a window are complete when it is. */
function groupingsOf(spec: Grouped, [, end]: readonly Field[], window?: ApproximateWindow) {
  if (window === undefined || end === undefined) {
    const plain = { ...spec, kind: 'aggregate' } as const;
    return [plain, plain] as const;
  }
  const { spec: windows, firing, column } = window;
  const grouped = { ...spec, kind: 'windowAggregate' } as const;
  return [
    { ...grouped, window: windows, firing, column },
    { ...grouped, window: { kind: 'until' }, firing: firesOnce, column: end.name },
  ] as const;
}

function nullWhereZero(share: Expr): Expr {
  const isValue = compareExpr('gt', share, float(0));
  return whenExpr([{ condition: isValue, value: share }], nullLiteral(float64Type));
}

function estimateOf(sum: Expr, seen: Expr): Expr {
  const part = arithmeticExpr('divide', castExpr(seen, float64Type, false), float(registerCount));
  const empty = arithmeticExpr('subtract', float(1), part);
  const terms = Array.from({ length: sigmaTerms }, (_, at): Expr => {
    const power = callExpr('pow', empty, float(2 ** (at + 1)));
    return arithmeticExpr('multiply', power, float(2 ** at));
  });
  const sigma = terms.reduce((all, term) => arithmeticExpr('add', all, term), empty);
  const shares = callExpr('coalesce', sum, float(0));
  const all = arithmeticExpr(
    'add',
    shares,
    arithmeticExpr('multiply', sigma, float(registerCount)),
  );
  const count = arithmeticExpr('divide', float(registerCount ** 2 / (2 * Math.LN2)), all);
  const whole = castExpr(callExpr('round', count), int64Type, false);
  const isEmpty = compareExpr('eq', seen, literalOfType(0, int64Type));
  return whenExpr([{ condition: isEmpty, value: literalOfType(0, int64Type) }], whole);
}

function float(value: number): Expr {
  return literalOfType(value, float64Type);
}
