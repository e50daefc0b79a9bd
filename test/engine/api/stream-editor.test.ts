/**
 * Goal: what an editor shows while a job is written is short and right: the fields after each verb,
 * what a dot offers, and where the mistake is. Asked of TypeScript's own language service, over a job
 * that lies beside this test and is written with `|name|` marks.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const fileName = fileURLToPath(new URL('./edited-job.ts', import.meta.url));

const marked = `import { agg, defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';

const Sale = t.struct({ shop: t.utf8(), units: t.int32(), price: t.float64().nullable(), at: t.timestampMs() });

export default defineJob({
  name: 'editor',
  params: { input: t.path(), top: t.int32().optional() },
  build: ({ read, params }) => {
    const lines = read(files.source({ path: params.|input|input, format: text() }));
    const sales = lines.flatMap(Sale, (|line|line) => [JSON.parse(line.text)]);
    const derived = sales.derive((|sale|sale) => ({ total: sale.price.mul(sale.units) }));
    const grouped = derived.keyBy((sale) => sale.shop).aggregate({
      count: agg.count(),
      best: agg.max((sale) => sale.total),
    });
    const mapped = grouped.map(t.struct({ shop: t.utf8(), best: t.float64() }), (|group|group) => ({
      shop: group.shop,
      best: group.|best|best ?? 0,
    }));
    return mapped.orderBy((row) => row.|column|best.desc()).limit(params.|top|top).writeTo(files.sink({ path: 'o' }));
  },
});
`;

/** The text without its marks, and where each mark's name begins. */
function unmark(source: string): { text: string; places: Map<string, number> } {
  const places = new Map<string, number>();
  let text = '';
  for (const [index, part] of source.split('|').entries()) {
    if (index % 2 === 1) places.set(part, text.length);
    else text += part;
  }
  return { text, places };
}

const { text, places } = unmark(marked);
let edited = text;
let version = 0;

const { options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config,
  ts.sys,
  root,
);
const host: ts.LanguageServiceHost = {
  getScriptFileNames: () => [fileName],
  getScriptVersion: (name) => (name === fileName ? String(version) : '0'),
  getScriptSnapshot: (name) => {
    if (name === fileName) return ts.ScriptSnapshot.fromString(edited);
    return ts.sys.fileExists(name)
      ? ts.ScriptSnapshot.fromString(readFileSync(name, 'utf8'))
      : undefined;
  },
  getCurrentDirectory: () => root,
  getCompilationSettings: () => ({ ...options, noEmit: true }),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: (name) => name === fileName || ts.sys.fileExists(name),
  readFile: ts.sys.readFile,
  readDirectory: ts.sys.readDirectory,
  directoryExists: ts.sys.directoryExists,
  getDirectories: ts.sys.getDirectories,
};
const service = ts.createLanguageService(host);
afterAll(() => service.dispose());

/** What hovering over a marked name shows, on one line. */
function hover(name: string): string {
  const info = service.getQuickInfoAtPosition(fileName, places.get(name) ?? -1);
  return ts.displayPartsToString(info?.displayParts).replace(/\s+/g, ' ');
}

/** Members that a dot offers in a lambda over rows, when `expression` stands in place of its body. */
function offered(verb: string, expression: string): string[] {
  const line = `    const probe = derived.${verb}((row) => ${expression});\n`;
  const at = text.indexOf('    const grouped');
  edited = text.slice(0, at) + line + text.slice(at);
  version++;
  const position = at + line.indexOf(expression) + expression.length;
  const completions = service.getCompletionsAtPosition(fileName, position, {});
  edited = text;
  version++;
  return (completions?.entries ?? []).map((entry) => entry.name);
}

test('the job has no error', () => {
  const found = [
    ...service.getSyntacticDiagnostics(fileName),
    ...service.getSemanticDiagnostics(fileName),
  ];
  expect(found.map(({ messageText }) => messageText)).toEqual([]);
});

test.each([
  ['input', '(property) input: string'],
  ['top', '(property) top: number | undefined'],
  ['best', '(property) best: number | null'],
  ['column', '(property) best: Column<"float64", number, false, "best">'],
])('hovering over %s', (name, shown) => {
  expect(hover(name)).toContain(shown);
});

test('a function sees plain values, an expression sees columns', () => {
  expect(hover('group')).toMatch(/shop: string/);
  expect(hover('group')).toMatch(/count: bigint/);
  expect(hover('sale')).toMatch(/price: Column<"float64", number, true, "price">/);
});

test('a dot offers the fields that are there at this place, and no others', () => {
  const fields = offered('where', 'row.');
  expect(fields).toEqual(expect.arrayContaining(['shop', 'units', 'price', 'at', 'total']));
  expect(fields).not.toContain('text');
});

test('a column offers what its kind can do', () => {
  const ofNumber = offered('where', 'row.units.');
  expect(ofNumber).toEqual(expect.arrayContaining(['gt', 'eq', 'add', 'isNull']));
  const ofFunction = offered('filter', 'row.shop.');
  expect(ofFunction).toEqual(expect.arrayContaining(['trim', 'startsWith']));
  expect(ofFunction).not.toContain('isNull');
});

test('a mistake is marked where it was made', () => {
  edited = text.replace('sale.price.mul', 'sale.prise.mul');
  version++;
  const [first] = service.getSemanticDiagnostics(fileName);
  const message = ts.flattenDiagnosticMessageText(first?.messageText ?? '', '\n');
  const marking = edited.slice(first?.start ?? 0, (first?.start ?? 0) + (first?.length ?? 0));
  edited = text;
  version++;
  expect(marking).toBe('prise');
  expect(message).toContain("Property 'prise' does not exist");
  expect(message).toContain("Did you mean 'price'?");
});
