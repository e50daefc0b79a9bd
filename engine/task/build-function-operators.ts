/**
 * Builders of the operators that call a user's functions: these are found by the operator's id, and each gets a
 * driver generated for it.
 *
 * Before: engine/task/build-operator.ts. After: engine/compile/map-row-driver.ts.
 */
import { assert } from '../../base/assert.ts';
import { flatMapDriver } from '../compile/flat-map-driver.ts';
import { functionContextOf } from '../compile/function-context.ts';
import { mapDriver } from '../compile/map-driver.ts';
import { mapRowDriver } from '../compile/map-row-driver.ts';
import { CombineOperator } from '../operators/combine-operator.ts';
import {
  ProcessAfterControl,
  ProcessBesideControl,
} from '../operators/controlled-process-operator.ts';
import { FilterRowsOperator } from '../operators/filter-rows-operator.ts';
import { FoldOperator } from '../operators/fold-operator.ts';
import { LookupOperator } from '../operators/lookup/lookup-operator.ts';
import { PatternOperator } from '../operators/pattern/pattern-operator.ts';
import { ProcessOperator } from '../operators/process-operator.ts';
import { ReduceOperator } from '../operators/reduce-operator.ts';
import { RowFunctionOperator } from '../operators/row-function-operator.ts';
import { WindowFunctionOperator } from '../operators/windows/window-function-operator.ts';
import type { FunctionsOf, UserFunctions } from '../plan/user-functions.ts';
import type { BuildOperatorOptions, OperatorBuilders, SpecOf } from './operator-builder.ts';

export const functionBuilders = {
  filterRows({ id }, { context, input, functions }) {
    const { filter } = functionsOf(functions, id, 'filter');
    return new FilterRowsOperator(context, { input, filter });
  },
  mapRows({ id, output }, { context, input, functions }) {
    const { map } = functionsOf(functions, id, 'map');
    return new RowFunctionOperator(context, {
      input,
      output,
      driver: (inputs) => mapRowDriver({ ...inputs, map }),
    });
  },
  flatMap({ id, output }, { context, input, functions }) {
    const { flatMap } = functionsOf(functions, id, 'flatMap');
    return new RowFunctionOperator(context, {
      input,
      output,
      driver: (inputs) => flatMapDriver({ ...inputs, flatMap }),
    });
  },
  fold(spec, { context, input, functions }) {
    const { reduce } = functionsOf(functions, spec.id, 'reduce');
    return new FoldOperator(context, { ...spec, input, reduce });
  },
  lookup(spec, { context, input, functions }) {
    const { lookup } = functionsOf(functions, spec.id, 'lookup');
    return new LookupOperator(context, { ...spec, input, lookup });
  },
  process(spec, { context, input, functions, clock, build, right }) {
    const { control } = spec;
    const own = functionsOf(functions, spec.id, 'process');
    const options = { ...spec, input, clock, functions: own, control: null };
    if (control === null) return new ProcessOperator(context, options);
    const controlInput = control.isFirst ? build : right;
    assert(controlInput !== undefined, 'control rows come in at an input of their own');
    const controlled = { ...options, control: { ...control, input: controlInput } };
    return control.isFirst
      ? new ProcessAfterControl(context, controlled)
      : new ProcessBesideControl(context, controlled);
  },
  windowFunction(spec, { context, input, functions }) {
    const { process } = functionsOf(functions, spec.id, 'windowFunction');
    return new WindowFunctionOperator(context, { ...spec, input, process });
  },
  pattern(spec, { context, input, functions }) {
    const own = functionsOf(functions, spec.id, 'pattern');
    return new PatternOperator(context, { ...spec, input, functions: own });
  },
  map(spec, options) {
    const { context, input } = options;
    const { output } = spec;
    const { map, functionContext } = mapReduceOf(spec, options);
    return new RowFunctionOperator(context, {
      input,
      output,
      driver: (inputs) => mapDriver({ ...inputs, pairs: output, map, context: functionContext }),
    });
  },
  combine(spec, options) {
    const { combine, functionContext } = mapReduceOf(spec, options);
    assert(combine !== undefined, 'a combine operator has a function');
    return new CombineOperator(options.context, { pairs: spec.output, combine, functionContext });
  },
  reduce(spec, options) {
    const { context, input } = options;
    const { reduce, functionContext } = mapReduceOf(spec, options);
    return new ReduceOperator(context, { ...spec, pairs: input, reduce, functionContext });
  },
} satisfies Partial<OperatorBuilders>;

/** The functions of a mapReduce, and what they are given besides rows. */
function mapReduceOf(
  { id }: SpecOf<'map' | 'combine' | 'reduce'>,
  { context, functions, counters, disk }: BuildOperatorOptions,
) {
  const { map, combine, reduce, sideFiles } = functionsOf(functions, id, 'mapReduce');
  const { name: operator } = context;
  const functionContext = functionContextOf({ operator, counters, disk, sideFiles });
  return { map, combine, reduce, functionContext };
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
