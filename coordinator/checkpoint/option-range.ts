/** Whole numbers in options: whether each is in its range, said in the words of the option. */

export interface OptionRange {
  readonly min: number;
  readonly max: number;
}

/** What is wrong with an option, for a message; null where nothing is. */
export function rangeProblem(name: string, value: number, { min, max }: OptionRange) {
  if (Number.isFinite(value) && value >= min && value <= max) return null;
  return `option "${name}" is ${value}; it has to be from ${min} to ${max}`;
}
