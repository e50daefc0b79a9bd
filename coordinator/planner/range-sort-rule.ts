/**
 * Range sort: where a sink takes several ordered parts, each task sorts a range of the rows and writes it, and
 * nothing is merged. The parts, in the order of their names, are the sorted whole.
 *
 *     source · sort (gather) · sink      →      source (a sample) · boundaries (gather)
 *                                               source · range (boundaries: broadcast) · sort (range) · sink
 *
 * The boundaries come from the first rows of some splits, read ahead of the others; the steps between source
 * and sort are carried out on them, too. So these must be cheap, and nothing but expressions: a user's function
 * would see rows twice. What such a plan can't be made for is sorted by parallel-sort-rule.ts.
 */
import { assert } from '../../base/assert.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import { narrowRule } from './narrow-rule.ts';
import {
  columnsOf,
  inputFrom,
  isLocal,
  numberAfter,
  type PlanOptions,
  type PlanStep,
  StepIndex,
} from './plan-step.ts';

export function rangeSortRule(
  steps: readonly PlanStep[],
  { parallelism, mode }: PlanOptions,
): readonly PlanStep[] {
  if (mode === 'streaming') return steps; // A sample is read ahead, which a stream can't be.
  const index = new StepIndex(steps);
  const nextNumber = numberAfter(steps);
  return steps.flatMap((step) => {
    const sampled = sampledBefore(step, index);
    if (step.operator.kind !== 'sort' || sampled === null || !isWrittenInParts(step, index)) {
      return [step];
    }
    const { id, name, output, order } = step.operator;
    const sample = sampleOf(sampled, nextNumber);
    const last = sample.at(-1);
    const [input] = step.inputs;
    assert(last !== undefined && input !== undefined, 'a sort reads steps');
    const names = order.map(({ column }) => column);
    const boundaries: PlanStep = {
      number: nextNumber(),
      operator: {
        ...{ id, name, output: columnsOf(output, names), kind: 'boundaries', order },
        rangeCount: parallelism,
      },
      inputs: [inputFrom(last.number, { kind: 'gather' })],
    };
    const build = inputFrom(boundaries.number, { kind: 'broadcast' });
    const range: PlanStep = {
      number: nextNumber(),
      operator: { id, name, output, kind: 'range', order },
      inputs: [
        { ...input, exchange: null },
        { ...build, port: vertexPorts.build },
      ],
    };
    const inputs = [inputFrom(range.number, { kind: 'range', order })];
    return [...narrowRule([...sample, boundaries]), range, { ...step, inputs }];
  });
}

/** The steps from a source to the sort, when they can be carried out on a sample as well; else null. */
function sampledBefore({ inputs }: PlanStep, index: StepIndex): readonly PlanStep[] | null {
  const [input, ...others] = inputs;
  if (input?.exchange?.kind !== 'gather' || others.length > 0) return null;
  const found: PlanStep[] = [];
  for (let step = index.step(input.from); ; ) {
    if (index.readersOf(step.number).length !== 1) return null;
    found.unshift(step);
    const { operator } = step;
    if (operator.kind === 'source') {
      return operator.source.canSample === true && !index.hasDeadLetters(step) ? found : null;
    }
    const [before] = step.inputs;
    if (before === undefined || !isPlain(operator) || !isLocal(step)) return null;
    if (step.inputs.length > 1) return null;
    step = index.step(before.from);
  }
}

/** Whether all that follows is done in the tasks that sort, each with its rows, to a part of the sink. */
function isWrittenInParts({ number }: PlanStep, index: StepIndex): boolean {
  for (let at = number; ; ) {
    const [reader, ...others] = index.readersOf(at);
    if (reader === undefined || others.length > 0) return false;
    if (!isLocal(reader) || reader.inputs.length > 1) return false;
    const { operator } = reader;
    if (operator.kind === 'sink') return operator.sink.isParallel;
    if (!isPlain(operator)) return false;
    at = reader.number;
  }
}

/** Operators that work on each row for itself, by expressions. */
function isPlain({ kind }: OperatorSpec): boolean {
  return kind === 'filter' || kind === 'project';
}

/** The steps once more, over a sample of the source's rows. */
function sampleOf(steps: readonly PlanStep[], nextNumber: () => number): PlanStep[] {
  const sample: PlanStep[] = [];
  for (const { operator } of steps) {
    const before = sample.at(-1);
    sample.push({
      number: nextNumber(),
      operator: operator.kind === 'source' ? { ...operator, isSample: true } : operator,
      inputs: before === undefined ? [] : [inputFrom(before.number)],
    });
  }
  return sample;
}
