/**
 * The user's functions of a pattern: called with rows as plain objects, so they may keep them. What they throw, or give
 * out that does not fit, ends the job with the rows that they were called with.
 */
import type { BatchBuilder } from '../../batch/batch-builder.ts';
import { DriverHelper } from '../../compile/driver-helper.ts';
import type { SlotMemory } from '../../memory/slot-memory.ts';
import type { PatternStage } from '../../plan/pattern-spec.ts';
import type {
  MatchCall,
  MatchedRows,
  PatternFunctions,
  RowValues,
} from '../../plan/user-functions.ts';
import type { PartialMatch } from './pattern-step.ts';

export interface MatchFunctionsOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  readonly stages: readonly PatternStage[];
  readonly functions: PatternFunctions;
  readonly builder: BatchBuilder;
}

export class MatchFunctions {
  readonly #options: MatchFunctionsOptions;
  readonly #helpers: Readonly<Record<'select' | 'timedOut' | 'test', DriverHelper>>;

  constructor(options: MatchFunctionsOptions) {
    const { operator, memory, builder } = options;
    const helper = (name: string) =>
      new DriverHelper({ operator, function: name }, memory, builder.schema);
    this.#options = options;
    this.#helpers = {
      select: helper('select'),
      timedOut: helper('timedOut'),
      test: helper('test'),
    };
  }

  get hasTimedOut(): boolean {
    return this.#options.functions.timedOut !== null;
  }

  /** What a stage's function says to a row; true where it has none. */
  test(stage: number, row: () => RowValues, rows: () => MatchedRows): boolean {
    const test = this.#options.functions.tests[stage] ?? null;
    if (test === null) return true;
    const helper = this.#helpers.test;
    const subject = row();
    let answer: unknown;
    try {
      answer = test(subject, rows());
    } catch (error) {
      throw helper.failed(error, subject);
    }
    return typeof answer === 'boolean' ? answer : helper.notBoolean(answer, subject);
  }

  /** Appends what a function makes of a match to the builder, which is not full. */
  give(what: 'select' | 'timedOut', rows: MatchedRows, context: MatchCall): void {
    const { functions, builder } = this.#options;
    const call = functions[what];
    if (call === null) return;
    const helper = this.#helpers[what];
    let given: RowValues;
    try {
      given = call(rows, context);
    } catch (error) {
      throw helper.failed(error, rows);
    }
    if (given === null || typeof given !== 'object') helper.notRow(given, rows);
    try {
      builder.appendRow(builder.schema.fields.map(({ name }) => given[name]));
    } catch (error) {
      throw helper.refused(error, rows);
    }
  }

  /** The rows of a match, by the names of its stages. */
  rowsOf({ rows, stages }: PartialMatch, rowAt: (number: number) => RowValues): MatchedRows {
    const found: Record<string, RowValues[]> = {};
    for (const { name, kind } of this.#options.stages) if (kind === 'rows') found[name] = [];
    for (const [at, number] of rows.entries()) {
      const stage = this.#options.stages[stages[at] ?? -1];
      if (stage !== undefined) found[stage.name]?.push(rowAt(number));
    }
    return found;
  }
}
