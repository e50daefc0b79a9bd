/**
 * Explains why a job file could not be bundled, in the words in which its import is explained: the first thing that
 * esbuild found, with file, line and column.
 *
 * Before: cli/cluster/bundle-job.ts.
 */
import { resolve } from 'node:path';
import type { BuildFailure, Message } from 'esbuild';
import { type TypedError, typedError } from '../../base/typed-error.ts';
import type { NativeUse } from './native-modules.ts';

interface Where {
  /** That esbuild's paths are seen from. */
  readonly folder: string;
  /** The job file as the user wrote it. */
  readonly file: string;
}

/** @param thrown - What `build` of esbuild has thrown. */
export function bundleError(thrown: unknown, { folder, file }: Where): TypedError {
  const [first] = isFailure(thrown) ? thrown.errors : [];
  if (first === undefined) return failedError(file, thrown);
  if (isNative(first.detail)) return nativeError(first.detail.name);
  const { location, text } = first;
  if (location === null) return failedError(file, thrown);
  const { line, column, lineText: source } = location;
  const path = resolve(folder, location.file);
  const place = `${path}:${line}:${column + 1}`;
  const details = { file: path, line, column: column + 1, source };
  const missing = /^Could not resolve "(.*)"$/.exec(text)?.[1];
  if (missing !== undefined) {
    const isRelative = missing.startsWith('.') || missing.startsWith('/');
    const hint = isRelative
      ? 'Check the path; relative imports need their extension, for example ./words.ts.'
      : `Install it beside the job file: npm install ${missing}.`;
    const message = `${place}: "${missing}" is imported, which is not there`;
    return typedError('JOB_FILE_IMPORT', message, { hint, details });
  }
  const unnamed = /^No matching export in "(.*)" for import "(.*)"$/.exec(text);
  if (unnamed !== null) {
    const [, module, name] = unnamed;
    const message = `${place}: "${module}" exports nothing named "${name}"`;
    const hint = 'Correct the name, or write "import type" when it is a type.';
    return typedError('JOB_FILE_IMPORT', message, { hint, details });
  }
  return typedError('JOB_FILE_SYNTAX', `${place}: ${lowerFirst(text)}`, {
    hint: 'The file does not parse; correct the line and submit it again.',
    details,
  });
}

function isFailure(thrown: unknown): thrown is BuildFailure & { readonly errors: Message[] } {
  return thrown instanceof Error && 'errors' in thrown && Array.isArray(thrown.errors);
}

function isNative(detail: unknown): detail is NativeUse {
  return typeof detail === 'object' && detail !== null && 'kind' in detail;
}

function nativeError(name: string): TypedError {
  const message = `package "${name}" has a native module, which can't travel with a job`;
  return typedError('JOB_BUNDLE_NATIVE', message, {
    hint: 'Its code is for one system. Use a package that is JavaScript or WebAssembly, or run the job on this machine: millrace run.',
    details: { package: name },
  });
}

function failedError(file: string, cause: unknown): TypedError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return typedError('JOB_BUNDLE_FAILED', `"${file}" could not be bundled: ${reason}`, {
    hint: 'Look at the message of esbuild, which bundles jobs.',
    cause,
  });
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text;
}
