/**
 * Registers: each row gets the register of a HyperLogLog that its value belongs to, and the share that it
 * puts there; what is carried stands beside. How many different values there are follows from the
 * smallest share of each register, which ordinary aggregates find (coordinator/planner/lower-approximate.ts).
 */
import { assert } from '../../base/assert.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { registerForms } from '../kernels/register-kernels.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { float64Type, int32Type } from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { GroupKeys } from './group-keys.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { PendingBatch } from './pending-batch.ts';

export interface RegistersOptions {
  readonly input: Schema;
  /** First the register, an int32, and the share, a float64; then the carried columns. */
  readonly output: Schema;
  readonly column: string;
  readonly carried: readonly string[];
}

export class RegistersOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #output: Schema;
  readonly #carried: readonly number[];
  readonly #value: GroupKeys;
  readonly #pending = new PendingBatch();

  constructor(context: OperatorContext, { input, output, column, carried }: RegistersOptions) {
    const { scope, kernels } = context;
    this.#context = context;
    this.#output = output;
    this.#carried = carried.map((name) => fieldIndexOf(input, name));
    this.#value = new GroupKeys(scope, kernels, { schema: input, keys: [column] });
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    return this.#pending.offer(outbox, () => this.#withRegisters(batch)) ? batch.rowCount : fromRow;
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
    this.#value.close();
  }

  #withRegisters(batch: Batch): Batch {
    const { scope, kernels } = this.#context;
    const { rowCount, storedRows } = batch;
    const { values, validity, selection } = this.#value.read(batch);
    assert(selection === batch.selection, 'a key of one column lies as its rows do');
    const blocks: BlockHandle[] = [scope.allocate(storedRows * 4)];
    try {
      blocks.push(scope.allocate(storedRows * 8));
      const [registers = 0, shares = 0] = blocks.map(addressOf);
      const form = registerForms[this.#value.form];
      kernels.registersOf(form, values, validity, selection, rowCount, registers, shares);
      const columns: Column[] = [
        { type: int32Type, values: registers, validity: 0 },
        { type: float64Type, values: shares, validity: 0 },
        ...this.#carried.map((index) => {
          const column = batch.columns[index];
          assert(column !== undefined, 'the column is in the batch');
          return column;
        }),
      ];
      return batch.derive({ schema: this.#output, columns, blocks });
    } catch (error) {
      for (const block of blocks) scope.memory.release(block);
      throw error;
    }
  }
}
