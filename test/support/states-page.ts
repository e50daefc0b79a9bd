/** The tables of docs/states.md, printed from those of the code. `UPDATE_DOCS=1` writes the page anew. */
import { readFileSync, writeFileSync } from 'node:fs';

export interface PrintedTransition {
  readonly from: string;
  readonly on: string;
  readonly to: string;
  readonly effect: string;
  readonly when: string;
}

/** The page as it is, and as it should be. */
export function statesPage(machine: string, transitions: readonly PrintedTransition[]) {
  const path = new URL('../../docs/states.md', import.meta.url);
  const expected = withTable(readFileSync(path, 'utf8'), machine, transitions);
  if (process.env.UPDATE_DOCS === '1') writeFileSync(path, expected);
  return { page: readFileSync(path, 'utf8'), expected };
}

function withTable(page: string, machine: string, transitions: readonly PrintedTransition[]) {
  const start = `<!-- ${machine}: generated -->`;
  const rows = transitions.map(
    ({ from, on, to, effect, when }) => `| ${from} | ${on} | ${to} | ${effect} | ${when} |`,
  );
  const table = [
    '| state | event | next | effect | when |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ];
  const at = page.indexOf(start) + start.length;
  const rest = page.slice(page.indexOf(`<!-- end of ${machine} -->`));
  return `${page.slice(0, at)}\n\n${table.join('\n')}\n\n${rest}`;
}
