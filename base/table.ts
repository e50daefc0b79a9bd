/**
 * Tables for people: box-drawing lines, text to the left, numbers to the right. A table that is
 * wider than the terminal cuts its widest text column with `…`; numbers are never cut, for a cut
 * number is a wrong one.
 */

export interface TableColumn {
  readonly title: string;
  /** Numbers are `right`. Default: left. */
  readonly align?: 'left' | 'right';
}

export interface TableOptions {
  /** Cells of the terminal's line; the default does not limit. */
  readonly widthMax?: number;
}

/** Narrower than this a column says nothing any more. */
const columnWidthMin = 6;

/** Returns the table as text, each line ended by a newline. */
export function tableText(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const lines = tableLines(columns, columnWidths(columns, rows, options));
  return [lines.head, ...rows.map(lines.row), lines.foot].join('');
}

/** The lines of a table, for one that is printed as its rows come. */
export interface TableLines {
  /** The line above, the titles, and the line below them. */
  readonly head: string;
  readonly foot: string;
  /** A row; what is wider than its column is cut, a number is not. */
  row(cells: readonly string[]): string;
}

export function tableLines(columns: readonly TableColumn[], widths: readonly number[]): TableLines {
  const row = (cells: readonly string[]): string => {
    const padded = columns.map(({ align }, index) =>
      padCell(cells[index] ?? '', widths[index] ?? 0, align ?? 'left'),
    );
    return `│ ${padded.join(' │ ')} │\n`;
  };
  const rule = (left: string, middle: string, right: string): string =>
    `${left}${widths.map((width) => '─'.repeat(width + 2)).join(middle)}${right}\n`;
  const titles = row(columns.map(({ title }) => title));
  return {
    head: `${rule('┌', '┬', '┐')}${titles}${rule('├', '┼', '┤')}`,
    foot: rule('└', '┴', '┘'),
    row,
  };
}

/** How wide columns have to be for their titles and these rows, within the width of the table. */
export function columnWidths(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  { widthMax = Number.POSITIVE_INFINITY }: TableOptions = {},
): number[] {
  return fitWidths(columns, naturalWidths(columns, rows), widthMax);
}

/** Cells that a text takes: one per code point, which is right for all but wide scripts. */
export function cellWidthOf(text: string): number {
  return [...text].length;
}

/** The text, or its beginning and `…` when it takes more than `width` cells. */
export function cutText(text: string, width: number): string {
  if (cellWidthOf(text) <= width) return text;
  return `${[...text].slice(0, Math.max(0, width - 1)).join('')}…`;
}

function naturalWidths(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
): number[] {
  return columns.map(({ title }, index) =>
    rows.reduce((width, row) => Math.max(width, cellWidthOf(row[index] ?? '')), cellWidthOf(title)),
  );
}

function fitWidths(
  columns: readonly TableColumn[],
  natural: readonly number[],
  widthMax: number,
): number[] {
  const widths = [...natural];
  // Three cells between columns and two at each end.
  const borders = 3 * (columns.length - 1) + 4;
  let excess = widths.reduce((sum, width) => sum + width, borders) - widthMax;
  while (excess > 0) {
    const widest = widestTextColumn(columns, widths);
    if (widest === -1) break;
    const width = widths[widest] ?? 0;
    const cut = Math.min(excess, width - columnWidthMin);
    widths[widest] = width - cut;
    excess -= cut;
  }
  return widths;
}

/** The index of the widest column that may still be cut, or -1. */
function widestTextColumn(columns: readonly TableColumn[], widths: readonly number[]): number {
  let widest = -1;
  for (const [index, { align }] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (align === 'right' || width <= columnWidthMin) continue;
    if (widest === -1 || width > (widths[widest] ?? 0)) widest = index;
  }
  return widest;
}

function padCell(text: string, width: number, align: 'left' | 'right'): string {
  const shown = align === 'right' ? text : cutText(text, width);
  const padding = ' '.repeat(Math.max(0, width - cellWidthOf(shown)));
  return align === 'right' ? padding + shown : shown + padding;
}
