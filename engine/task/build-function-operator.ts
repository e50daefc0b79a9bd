/**
 * Builds the operators that call a user's functions: these are found by the operator's id, and each gets a
 * driver generated for it.
 *
 * Before: engine/task/build-operator.ts. After: engine/compile/map-row-driver.ts.
 */
import { assert } from '../../base/assert.ts';
import type { SyncDisk } from '../../base/env/disk.ts';
import { flatMapDriver } from '../compile/flat-map-driver.ts';
import { type FunctionCounters, functionContextOf } from '../compile/function-context.ts';
import { mapDriver } from '../compile/map-driver.ts';
import { mapRowDriver } from '../compile/map-row-driver.ts';
import { CombineOperator } from '../operators/combine-operator.ts';
import { FilterRowsOperator } from '../operators/filter-rows-operator.ts';
import { FoldOperator } from '../operators/fold-operator.ts';
import { LookupOperator } from '../operators/lookup/lookup-operator.ts';
import type { Operator, OperatorContext } from '../operators/operator.ts';
import { PatternOperator } from '../operators/pattern/pattern-operator.ts';
import { ProcessOperator } from '../operators/process-operator.ts';
import { ReduceOperator } from '../operators/reduce-operator.ts';
import { RowFunctionOperator } from '../operators/row-function-operator.ts';
import { WindowFunctionOperator } from '../operators/windows/window-function-operator.ts';
import type { OperatorSpec } from '../plan/physical-graph.ts';
import type { FunctionsOf, UserFunctions } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';

export interface FunctionOperatorOptions {
  readonly context: OperatorContext;
  /** What comes in. */
  readonly input: Schema;
  readonly functions: ReadonlyMap<string, UserFunctions>;
  /** What functions count. */
  readonly counters: FunctionCounters;
  readonly clock: { mono(): number; wall(): number };
  /** Where their side files are. */
  readonly disk: SyncDisk;
}

type FunctionSpec = OperatorSpec & {
  readonly kind:
    | 'lookup'
    | 'filterRows'
    | 'mapRows'
    | 'flatMap'
    | 'fold'
    | 'map'
    | 'combine'
    | 'reduce'
    | 'process'
    | 'windowFunction'
    | 'pattern';
};

export function buildFunctionOperator(
  spec: FunctionSpec,
  options: FunctionOperatorOptions,
): Operator {
  const { context, input, functions } = options;
  const { output } = spec;
  switch (spec.kind) {
    case 'filterRows': {
      const { filter } = functionsOf(functions, spec.id, 'filter');
      return new FilterRowsOperator(context, { input, filter });
    }
    case 'mapRows': {
      const { map } = functionsOf(functions, spec.id, 'map');
      return new RowFunctionOperator(context, {
        input,
        output,
        driver: (inputs) => mapRowDriver({ ...inputs, map }),
      });
    }
    case 'fold': {
      const { reduce } = functionsOf(functions, spec.id, 'reduce');
      return new FoldOperator(context, { ...spec, input, reduce });
    }
    case 'lookup': {
      const { lookup } = functionsOf(functions, spec.id, 'lookup');
      return new LookupOperator(context, { ...spec, input, lookup });
    }
    case 'flatMap': {
      const { flatMap } = functionsOf(functions, spec.id, 'flatMap');
      return new RowFunctionOperator(context, {
        input,
        output,
        driver: (inputs) => flatMapDriver({ ...inputs, flatMap }),
      });
    }
    case 'process': {
      const { clock } = options;
      const own = functionsOf(functions, spec.id, 'process');
      return new ProcessOperator(context, { ...spec, input, clock, functions: own });
    }
    case 'windowFunction': {
      const { process } = functionsOf(functions, spec.id, 'windowFunction');
      return new WindowFunctionOperator(context, { ...spec, input, process });
    }
    case 'pattern': {
      const own = functionsOf(functions, spec.id, 'pattern');
      return new PatternOperator(context, { ...spec, input, functions: own });
    }
    case 'map':
    case 'combine':
    case 'reduce':
      return buildMapReduce(spec, options);
  }
}

function buildMapReduce(
  spec: OperatorSpec & { kind: 'map' | 'combine' | 'reduce' },
  { context, input, functions, counters, disk }: FunctionOperatorOptions,
): Operator {
  const { output } = spec;
  const { map, combine, reduce, sideFiles } = functionsOf(functions, spec.id, 'mapReduce');
  const { name: operator } = context;
  const functionContext = functionContextOf({ operator, counters, disk, sideFiles });
  switch (spec.kind) {
    case 'map':
      return new RowFunctionOperator(context, {
        input,
        output,
        driver: (inputs) => mapDriver({ ...inputs, pairs: output, map, context: functionContext }),
      });
    case 'combine':
      assert(combine !== undefined, 'a combine operator has a function');
      return new CombineOperator(context, { pairs: output, combine, functionContext });
    case 'reduce':
      return new ReduceOperator(context, { ...spec, pairs: input, reduce, functionContext });
  }
}

/** The user's functions of an operator, which is of kind `kind`. */
export function functionsOf<K extends UserFunctions['kind']>(
  functions: ReadonlyMap<string, UserFunctions>,
  id: string,
  kind: K,
): FunctionsOf<K> {
  const found = functions.get(id);
  assert(found?.kind === kind, 'an operator of a user function has its functions');
  return found as FunctionsOf<K>;
}
