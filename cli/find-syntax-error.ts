/**
 * Finds the place of a syntax error that V8 reports without one: parses the module, and what it
 * imports by relative path, until a file does not parse. Runs only when an import has failed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, resolve } from 'node:path';
import { parse } from 'acorn';

interface Place {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly source: string;
}

/** A job that imports more files than this is told of the error without its place. */
const filesMax = 100;

/** The place of the first syntax error, or null when all files parse. */
export function findSyntaxError(jobPath: string): Place | null {
  const paths = [jobPath];
  for (const path of paths) {
    const text = readFileSync(path, 'utf8');
    try {
      const { body } = parse(withoutTypes(text, path), {
        ecmaVersion: 'latest',
        sourceType: 'module',
        locations: true,
      });
      for (const statement of body) {
        const source = 'source' in statement ? statement.source?.value : null;
        if (typeof source !== 'string' || !source.startsWith('.')) continue;
        const imported = resolve(dirname(path), source);
        const isNew = !paths.includes(imported) && existsSync(imported);
        if (isNew && paths.length < filesMax) paths.push(imported);
      }
    } catch (error) {
      return placeOf(error, path, text);
    }
  }
  return null;
}

/** Types become blanks, so lines and columns stay. */
function withoutTypes(text: string, path: string): string {
  if (!/\.m?ts$/.test(path)) return text;
  const { emitWarning } = process;
  // The function warns that it is experimental, which is no news for the user.
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

function placeOf(error: unknown, path: string, text: string): Place | null {
  if (!(error instanceof Error) || !('loc' in error)) return null;
  const { line, column } = error.loc as { line: number; column: number };
  return { path, line, column: column + 1, source: text.split('\n')[line - 1] ?? '' };
}
