/**
 * A list that a cluster has told, as its commands print it: one JSON object, a table, or a sentence where it is empty.
 *
 * Before: cli/commands/workers.ts and its like. After: base/table.ts.
 */
import { type TableColumn, tableText } from '../../base/table.ts';
import type { CliEnv } from '../cli-env.ts';
import { widthOf } from '../commands/list.ts';

export interface ShownList<Item> {
  /** What the list is called in JSON. */
  readonly name: string;
  readonly items: readonly Item[];
  /** @defaultValue the item as it is */
  readonly jsonOf?: (item: Item) => unknown;
  readonly columns: readonly TableColumn[];
  readonly cellsOf: (item: Item) => readonly string[];
  /** Said to people where there are none. */
  readonly none: string;
}

export function showList<Item>(
  env: CliEnv,
  isJson: boolean,
  { name, items, jsonOf = (item) => item, columns, cellsOf, none }: ShownList<Item>,
): void {
  if (isJson) env.stdout.write(`${JSON.stringify({ [name]: items.map(jsonOf) })}\n`);
  else if (items.length === 0) env.stderr.write(`${none}\n`);
  else env.stdout.write(tableText(columns, items.map(cellsOf), widthOf(env)));
}
