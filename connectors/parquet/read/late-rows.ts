/**
 * Late materialisation: the columns that say which rows are wanted are decoded first, and of the others only
 * those rows. First the predicate is asked, then, of the rows that it left, each dynamic filter.
 *
 *     asked    shipdate, discount   8,192 rows ──▶ predicate ──▶ 140 rows
 *              partkey              140 of 8,192 rows ──▶ keys of a join ──▶ 3 rows
 *     others   price, comment       3 of 8,192 rows; pages that have none of them are not uncompressed
 *
 * The filter and the join behind the source stay, so this may say no less, and a question that does not pay is
 * not asked for a while. A condition that may fail is not asked here: its error is the filter's, which names the
 * operator.
 *
 * Before: connectors/parquet/read/row-pruning.ts · After: connectors/parquet/read/parquet-reader.ts
 */
import { assert } from '../../../base/assert.ts';
import { Batch, type Column } from '../../../engine/batch/batch.ts';
import { type RowFilter, rowFilter } from '../../../engine/compile/row-filter.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import type { DynamicFilter } from '../../../engine/contracts/source.ts';
import { addColumnNames } from '../../../engine/expr/column-names.ts';
import { conditionsOf } from '../../../engine/expr/conditions.ts';
import type { SelectedRows } from '../../../engine/expr/evaluate.ts';
import { logicExpr } from '../../../engine/expr/expr-factory.ts';
import { mayFail } from '../../../engine/expr/may-fail.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import type { Field } from '../../../engine/schema/field-type.ts';
import { takeColumn } from '../../../engine/stream/take-column.ts';

/** Rows of a batch by number, ascending: `count` u32 at `rows`. */
export interface ChosenRows {
  readonly rows: number;
  readonly count: number;
}

/** Reads columns of the next rows of a row group. */
export interface LateColumn {
  readonly field: Field;
  read(count: number, blocks: BlockHandle[]): Column;
  readChosen(count: number, chosen: ChosenRows, blocks: BlockHandle[]): Column;
}

export interface LateBatch {
  readonly rowCount: number;
  readonly columns: readonly Column[];
}

/** With more of the rows than this the others are decoded whole: they are copied once less. */
const chosenShareMax = 0.5;
/** Batches that are not asked after one of which too many rows were chosen. */
const batchesPassed = 15;

export class LateRows {
  readonly #context: SlotContext;
  readonly #questions: Question[] = [];

  constructor(context: SlotContext, filters: readonly DynamicFilter[]) {
    this.#context = context;
    const { fields } = context.schema;
    const add = (question: Question | null) => {
      // Where every column is read to ask, nothing is left to be spared.
      if (question !== null && question.fields.length < fields.length) {
        this.#questions.push(question);
      }
    };
    add(predicateOf(context));
    for (const filter of filters) {
      add(new Question(filter.fields, { select: (batch) => filter.select(batch) }));
    }
  }

  /** The next `count` rows, without some that are not wanted; `blocks` takes what they are in, and scratch. */
  read(columns: readonly LateColumn[], count: number, blocks: BlockHandle[]): LateBatch {
    const found: (Column | undefined)[] = columns.map(() => undefined);
    let chosen: ChosenRows | null = null;
    const columnAt = (index: number): Column => {
      const column = columns[index];
      assert(column !== undefined, 'a batch has the columns of its schema');
      const known = found[index];
      if (known !== undefined) return known;
      const read: Column =
        chosen === null ? column.read(count, blocks) : column.readChosen(count, chosen, blocks);
      found[index] = read;
      return read;
    };
    for (const question of this.#questions) {
      const rowCount: number = chosen?.count ?? count;
      if (rowCount === 0) break;
      if (!question.isNext()) continue;
      const asked = columns.flatMap(({ field }, index) =>
        question.reads(field) ? [columnAt(index)] : [],
      );
      const rows = this.#choose(question, { columns: asked, rowCount, blocks });
      if (rows === null) continue;
      chosen = this.#narrowed(found, { chosen, rows, blocks });
    }
    const all = columns.map((_, index) => columnAt(index));
    return { rowCount: chosen?.count ?? count, columns: all };
  }

  close(): void {
    for (const question of this.#questions) question.close();
  }

  /** Null where the others are better decoded whole. */
  #choose(
    question: Question,
    asked: {
      readonly columns: readonly Column[];
      readonly rowCount: number;
      readonly blocks: BlockHandle[];
    },
  ): ChosenRows | null {
    const { columns, rowCount, blocks } = asked;
    const { memory } = this.#context.scope;
    const schema = { fields: question.fields };
    const batch = new Batch(memory, { schema, rowCount, columns, blocks: [] });
    const { selection, rowCount: count } = question.select(batch);
    if (selection !== 0) blocks.push(selection);
    if (count <= rowCount * chosenShareMax) {
      return { rows: selection === 0 ? 0 : addressOf(selection), count };
    }
    question.pass();
    return null;
  }

  /** Leaves the rows in the columns that are there; answers with their numbers among all. */
  #narrowed(
    found: (Column | undefined)[],
    step: {
      readonly chosen: ChosenRows | null;
      readonly rows: ChosenRows;
      readonly blocks: BlockHandle[];
    },
  ): ChosenRows {
    const { chosen, rows, blocks } = step;
    if (rows.count === 0) return rows;
    const { scope, kernels } = this.#context;
    const target = { scope, kernels, blocks };
    for (const [index, column] of found.entries()) {
      if (column !== undefined) found[index] = takeColumn(target, column, rows.rows, rows.count);
    }
    if (chosen === null) return rows;
    const numbers = scope.allocate(rows.count * 4);
    blocks.push(numbers);
    kernels.take4(chosen.rows, rows.rows, rows.count, addressOf(numbers));
    return { rows: addressOf(numbers), count: rows.count };
  }
}

interface Answer {
  readonly select: DynamicFilter['select'];
  /** Of who belongs to the reader. */
  readonly close?: () => void;
}

/** Of rows: which of them may be wanted. */
class Question {
  /** The columns that it reads. */
  readonly fields: readonly Field[];
  readonly #answer: Answer;
  #passed = 0;

  constructor(fields: readonly Field[], answer: Answer) {
    this.fields = fields;
    this.#answer = answer;
  }

  reads({ name }: Field): boolean {
    return this.fields.some((field) => field.name === name);
  }

  /** Whether it is to be asked of the next batch. */
  isNext(): boolean {
    if (this.#passed === 0) return true;
    this.#passed--;
    return false;
  }

  /** It was of no use. */
  pass(): void {
    this.#passed = batchesPassed;
  }

  select(batch: Batch): SelectedRows {
    return this.#answer.select(batch);
  }

  close(): void {
    this.#answer.close?.();
  }
}

/** The conditions that can't fail, of columns that are read; null where there are none. */
function predicateOf(context: SlotContext): Question | null {
  const { predicate = null, schema, scope, kernels } = context;
  const sure = predicate === null ? [] : conditionsOf(predicate).filter((one) => !mayFail(one));
  const names = new Set<string>();
  for (const one of sure) addColumnNames(one, names);
  const fields = schema.fields.filter(({ name }) => names.has(name));
  if (fields.length < names.size || fields.length === 0) return null;
  const asked = sure.reduce((left, right) => logicExpr('and', left, right));
  return new Question(
    fields,
    lazyFilter(() => rowFilter({ scope, kernels }, asked)),
  );
}

/** Compiled when it is asked first. */
function lazyFilter(make: () => RowFilter): RowFilter {
  let filter: RowFilter | null = null;
  return {
    select(batch) {
      filter ??= make();
      return filter.select(batch);
    },
    close() {
      filter?.close();
      filter = null;
    },
  };
}
