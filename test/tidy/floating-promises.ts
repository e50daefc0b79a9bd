/**
 * Promises that nobody waits for, found with the compiler's own types. The linter has such a rule,
 * but it does not see through mapped types, and the `Disk` of base/env is one: a forgotten `await`
 * before an fsync would pass it.
 */
import { relative, resolve } from 'node:path';
import ts from 'typescript';
import { lineOf, visit } from './syntax.ts';
import type { Problem } from './tree.ts';

/** Checks all files of the project in `root`; `overlay` adds files that are not on disk. */
export function findFloatingPromises(
  root: string,
  overlay: Readonly<Record<string, string>> = {},
): { problems: Problem[]; filesRead: number } {
  const program = ts.createProgram(programOf(root, overlay));
  const checker = program.getTypeChecker();
  const sources = program
    .getSourceFiles()
    .filter(({ fileName, isDeclarationFile }) => !isDeclarationFile && fileName.startsWith(root));
  const problems = sources.flatMap((source) => {
    const path = relative(root, source.fileName);
    const found: Problem[] = [];
    visit(source, (node) => {
      if (!ts.isExpressionStatement(node) || !isFloating(checker, node.expression)) return;
      const message = 'nobody waits for this promise: await it, or "void" it and say why';
      found.push({ path, line: lineOf(node), message });
    });
    return found;
  });
  return { problems, filesRead: sources.length };
}

function programOf(
  root: string,
  overlay: Readonly<Record<string, string>>,
): ts.CreateProgramOptions {
  const { config } = ts.readConfigFile(resolve(root, 'tsconfig.json'), ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options, true);
  const texts = new Map(Object.entries(overlay).map(([path, text]) => [resolve(root, path), text]));
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? getSourceFile(path, languageVersion, ...rest)
      : ts.createSourceFile(path, text, languageVersion, true);
  };
  const rootNames = texts.size > 0 ? [...texts.keys()] : fileNames;
  return { rootNames, options: { ...options, noEmit: true }, host };
}

function isFloating(checker: ts.TypeChecker, expression: ts.Expression): boolean {
  // Assignments keep the promise; `void` says that it may float.
  if (ts.isBinaryExpression(expression) || ts.isVoidExpression(expression)) return false;
  if (ts.isAwaitExpression(expression) || isHandled(expression)) return false;
  const type = checker.getTypeAtLocation(expression);
  const parts = type.isUnion() ? type.types : [type];
  return parts.some((part) => part.getProperty('then') !== undefined);
}

/** `.catch(handler)`, `.then(value, error)`, and `.finally(f)` behind one of them. */
function isHandled(expression: ts.Expression): boolean {
  if (!ts.isCallExpression(expression)) return false;
  const { expression: callee, arguments: handlers } = expression;
  if (!ts.isPropertyAccessExpression(callee)) return false;
  const method = callee.name.text;
  if (method === 'finally') return isHandled(callee.expression);
  return method === 'catch' || (method === 'then' && handlers.length > 1);
}
