/**
 * Explains why the import of a job file failed. Node says it in half a dozen ways: TypeScript's
 * parser writes file and line into the stack, V8 says neither for a module, a missing import is a
 * code, and all else was thrown by the user's own top-level code.
 */
import { fileURLToPath } from 'node:url';
import { TypedError, typedError } from '../base/typed-error.ts';

/** Where a mistake is; `column` is 1-based. */
interface Place {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly source: string;
}

/**
 * Returns the typed error for what an import threw.
 *
 * @param path - Absolute path of the job file.
 * @param file - The same as the user wrote it.
 */
export async function importError(
  thrown: unknown,
  path: string,
  file: string,
): Promise<TypedError> {
  if (thrown instanceof TypedError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return unsupportedError(error, path, file);
  if (code === 'ERR_MODULE_NOT_FOUND') return missingImportError(error);
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') return extensionError(file);
  if (isUnreadableSource(error)) return syntaxError(error, path, file);
  return typedError('JOB_FILE_THREW', `"${file}" threw while it was loaded`, {
    hint: 'Code at the top level of a job file runs before the job; the job itself belongs into build.',
    cause: error,
  });
}

/** A SyntaxError of the module itself, and not one that its code threw (JSON.parse does). */
function isUnreadableSource(error: Error): boolean {
  if (error.name !== 'SyntaxError') return false;
  return !/\n\s+at .*JSON\.parse|\n\s+at new (RegExp|Function)/.test(error.stack ?? '');
}

/** Enums, namespaces, parameter properties: TypeScript that is more than types. */
function unsupportedError(error: Error, path: string, file: string): TypedError {
  const place = placeInStack(error, path);
  const what = error.message.replace(/ is not supported in strip-only mode$/, '');
  return typedError('JOB_FILE_TYPESCRIPT', `${placeText(place, file)}: ${what} does not run`, {
    hint:
      'Types are erased, not compiled, so only TypeScript that disappears with its types runs. ' +
      'Write a constant object with "as const" for an enum, a module for a namespace, and fields ' +
      'for parameter properties. "erasableSyntaxOnly" in tsconfig.json shows them all.',
    details: place === null ? {} : detailsOf(place),
  });
}

function missingImportError(error: Error): TypedError {
  const [, what = 'module', name = '', importer = ''] =
    /^Cannot find (\w+) '(.*)' imported from (.*)$/.exec(error.message) ?? [];
  const from = importer.startsWith('file:') ? fileURLToPath(importer) : importer;
  const hint =
    what === 'package'
      ? `Install it beside the job file: npm install ${name}.`
      : 'Check the path; relative imports need their extension, for example ./words.ts.';
  const message = name === '' ? error.message : `${from} imports "${name}", which is not there`;
  return typedError('JOB_FILE_IMPORT', message, { hint });
}

function extensionError(file: string): TypedError {
  return typedError('JOB_FILE_IMPORT', `"${file}" is no module that can be loaded`, {
    hint: 'A job file, and what it imports, ends in .ts, .mts, .js or .mjs.',
  });
}

async function syntaxError(error: Error, path: string, file: string): Promise<TypedError> {
  const noExport = /^The requested module '(.*)' does not provide an export named '(.*)'/.exec(
    error.message,
  );
  const place = placeInStack(error, path) ?? (await placeByParsing(path));
  const details = place === null ? {} : detailsOf(place);
  if (noExport !== null) {
    const [, module, name] = noExport;
    const message = `${placeText(place, file)}: "${module}" exports nothing named "${name}"`;
    const hint = 'Correct the name, or write "import type" when it is a type.';
    return typedError('JOB_FILE_IMPORT', message, { hint, details });
  }
  const message = `${placeText(place, file)}: ${lowerFirst(error.message)}`;
  return typedError('JOB_FILE_SYNTAX', message, {
    hint: 'The file does not parse; correct the line and run it again.',
    details,
  });
}

/** Messages begin in lower case, but a quoted or capital name stays as it is. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text;
}

function placeText(place: Place | null, file: string): string {
  return place === null ? file : `${place.path}:${place.line}:${place.column}`;
}

function detailsOf({ path, line, column, source }: Place) {
  return { file: path, line, column, source };
}

/**
 * Reads the place from a stack that begins with it:
 *
 *     file:///jobs/a.ts:2
 *     const a = 1;             lines around it, up to
 *     const b = (;
 *                ^             the mark below the place
 */
function placeInStack(error: Error, jobPath: string): Place | null {
  const [first = '', ...lines] = (error.stack ?? '').split('\n');
  const match = /^(.*):(\d+)$/.exec(first);
  const mark = lines.findIndex((line) => /^\s*\^+\s*$/.test(line));
  if (match === null || mark < 1) return null;
  const [, written = '', line] = match;
  const path = written.startsWith('file:') ? fileURLToPath(written) : written || jobPath;
  const column = (lines[mark]?.indexOf('^') ?? 0) + 1;
  return { path, line: Number(line), column, source: lines[mark - 1] ?? '' };
}

async function placeByParsing(path: string): Promise<Place | null> {
  const { findSyntaxError } = await import('./find-syntax-error.ts');
  return findSyntaxError(path);
}
