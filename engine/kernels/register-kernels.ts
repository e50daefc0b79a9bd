/** The register kernel as TypeScript sees it. Conventions: engine/kernels/kernels.ts. */
import type { KeyForm } from './key-layout.ts';

/** Count of registers of a sketch. */
export const registerCount = 4096;

/** Values to registers of a HyperLogLog. */
export interface RegisterKernels {
  /**
   * Writes the register of each selected row's value, a u32 below 4,096, and the share of values, a float64,
   * that would leave it as it is or better it: 2^-1, 2^-2, … The smallest one of a register counts. A null has
   * register 0 and the share 0, which means none.
   * @param form - Of `registerForms`.
   */
  registersOf(
    form: number,
    values: number,
    validity: number,
    selection: number,
    rowCount: number,
    outRegisters: number,
    outShares: number,
  ): void;
}

/** How keys of a form are hashed. */
export const registerForms: Readonly<Record<KeyForm, number>> = { view: 0, int64: 1, int128: 2 };
