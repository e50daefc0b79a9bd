/** Rules on code: no ambient time, chance or I/O, no swallowed errors, nothing switched off. */
import ts from 'typescript';
import { commentsOf, lineOf, parse, visit } from './syntax.ts';
import { isIn, isSource, lineAt, type Problem, type Rule, type TextFile } from './tree.ts';

/** Where the outside world may be touched; everything else gets it through a seam. */
const ambientPlaces = [
  ...['base/env', 'worker/threads', 'cli', 'bench', 'test'],
  ...['simulation/guard', 'simulation/drain', 'simulation/main'],
  ...['engine/kernels/build-kernels', 'vitest.config', '.dependency-cruiser'],
];

/** What is banned elsewhere, and what to use in its place. */
const ambientCalls: Readonly<Record<string, string>> = {
  'Date.now': 'env.clock.wall()',
  'Math.random': 'env.rng',
  'performance.now': 'env.clock.mono()',
  'process.hrtime': 'env.clock.mono()',
  setTimeout: 'env.timers',
  setInterval: 'env.timers',
  setImmediate: 'env.timers',
  fetch: 'a port of its own over env.net',
  WeakRef: 'an owner that closes',
  FinalizationRegistry: 'an owner that closes',
};

const ambientModules: Readonly<Record<string, string>> = {
  fs: 'env.disk',
  net: 'env.net',
  http: 'base/http',
  https: 'base/http',
  crypto: 'env.secrets or env.rng',
  worker_threads: 'the slot runner of worker/threads',
  child_process: 'an adapter of base/env',
};

const consolePlaces = ['cli', 'bench'];
/** Jobs have one by their contract, Piscina wants one of a thread's entry. */
const threadEntries = ['worker/threads/slot-thread', 'worker/threads/network-thread'];
const defaultExportPlaces = ['jobs', 'bench/jobs', ...threadEntries];
const testNames = ['test', 'it', 'describe', 'suite', 'bench'];
const switches = ['only', 'skip', 'todo'];

/** Runs `find` on every node of every source file outside `places`. */
function onNodes(
  places: readonly string[],
  find: (node: ts.Node, file: TextFile) => string | null,
): Rule {
  return (files) =>
    files
      .filter(({ path }) => isSource(path) && !isIn(path, places))
      .flatMap((file) => {
        const problems: Problem[] = [];
        visit(parse(file), (node) => {
          const message = find(node, file);
          if (message !== null) problems.push({ path: file.path, line: lineOf(node), message });
        });
        return problems;
      });
}

/** A job may ask services, as its user would. */
export const hasNoAmbientCall: Rule = onNodes(ambientPlaces, (node) => {
  const name = referenceOf(node);
  if (name === null || !Object.hasOwn(ambientCalls, name)) return null;
  if (name === 'fetch' && node.getSourceFile().fileName.startsWith('jobs/')) return null;
  return `${name} is ambient: use ${ambientCalls[name]}`;
});

/** The text of a use of a global or of its property; null for names of members, types and such. */
function referenceOf(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node)) return node.getText().replace('globalThis.', '');
  if (!ts.isIdentifier(node)) return null;
  const { parent } = node;
  const isUsed =
    (ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression === node;
  const isPassed = ts.isCallExpression(parent) && parent.arguments.includes(node);
  const isValue = ts.isVariableDeclaration(parent) && parent.initializer === node;
  return isUsed || isPassed || isValue ? node.text : null;
}

export const hasNoAmbientImport: Rule = onNodes(
  [...ambientPlaces, 'base/http', 'base/rpc'],
  (node) => {
    const module =
      importedModuleOf(node)
        ?.replace(/^node:/, '')
        .replace(/\/.*$/, '') ?? '';
    if (!Object.hasOwn(ambientModules, module)) return null;
    return `node:${module} is the outside world: use ${ambientModules[module]}`;
  },
);

function importedModuleOf(node: ts.Node): string | null {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    return node.moduleSpecifier.text;
  }
  if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword)
    return null;
  const [argument] = node.arguments;
  return argument !== undefined && ts.isStringLiteral(argument) ? argument.text : null;
}

export const hasNoEmptyCatch: Rule = onNodes([], (node, { text }) => {
  const advice = 'an error is swallowed: handle it, or say why it may be ignored';
  if (ts.isCatchClause(node)) return isEmpty(node.block, text) ? advice : null;
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return null;
  const [handler] = node.arguments;
  if (node.expression.name.text !== 'catch' || handler === undefined) return null;
  if (!ts.isArrowFunction(handler) && !ts.isFunctionExpression(handler)) return null;
  return isEmpty(handler.body, text) && !isExplained(node, text) ? advice : null;
});

function isEmpty(body: ts.Node, text: string): boolean {
  const inside = text.slice(body.getStart(), body.end);
  return inside === 'undefined' || /^\{\s*\}$/.test(inside);
}

/** A comment on the last line of the call, or on the line before its statement. */
function isExplained(node: ts.Node, text: string): boolean {
  const rest = text.slice(node.end).split('\n')[0] ?? '';
  const before = text.slice(0, node.getStart()).split('\n').at(-2) ?? '';
  return rest.includes('//') || /^\s*(\/\/|\/?\*)/.test(before);
}

export const hasNoConsole: Rule = onNodes(consolePlaces, (node) =>
  ts.isPropertyAccessExpression(node) && node.expression.getText() === 'console'
    ? 'console is for the command line: use env.observe'
    : null,
);

export const hasNoDefaultExport: Rule = onNodes(defaultExportPlaces, (node, { path }) => {
  if (/\.config\.ts$/.test(path)) return null;
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined;
  const isDefault =
    ts.isExportAssignment(node) ||
    modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) === true;
  return isDefault ? 'named exports only: a default one has another name in every file' : null;
});

export const hasNoTestSwitchedOff: Rule = onNodes([], (node) => {
  if (!ts.isPropertyAccessExpression(node) || !switches.includes(node.name.text)) return null;
  const [name] = node.expression.getText().split('.');
  return testNames.includes(name ?? '') ? `.${node.name.text} never reaches the main branch` : null;
});

export const hasNoLooseEnd: Rule = (files) =>
  files
    .filter(({ path }) => isSource(path))
    .flatMap((file) => commentsOf(file).flatMap((comment) => looseEndsOf(file.path, comment)));

function looseEndsOf(path: string, { text, line }: { text: string; line: number }): Problem[] {
  return [...text.matchAll(/\b(?:FIXME|TODO(?! ?\(?#\d+))/g)].map((match) => ({
    path,
    line: line + lineAt(text, match.index) - 1,
    message: `${match[0]}: do it now, or open an issue and write its number here`,
  }));
}
