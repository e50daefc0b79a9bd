/**
 * Errors for people: one message, what caused it, where in the user's code, and what to do.
 *
 *     error[USER_FUNCTION_FAILED]: user function "flatMap" of operator "parse" failed: no number
 *         at parse (jobs/parse.ts:12:20)
 *       record: {"line":"a;b"}
 *     hint: …
 *
 * A stack of our own code says nothing to a user, so only frames of the user's files are shown. An
 * internal error is a bug of ours: it asks for a report, and MILLRACE_DEBUG=1 shows the whole stack.
 */
import { relative } from 'node:path';
import { styleText } from 'node:util';
import { isOwnPlace } from '../base/own-places.ts';
import type { WireError } from '../base/typed-error.ts';
import type { CliEnv } from './cli-env.ts';

export interface ErrorTextOptions {
  readonly hasColours: boolean;
  readonly isDebug: boolean;
  readonly workingFolder: string;
}

/** Frames beyond these are the user's way there, seldom the place of the mistake. */
const framesMax = 5;
const causesMax = 5;
/** In front of the names of a bundle's sources. */
export const submittedRoot = 'job:///';

/** The whole text of an error, ended by a newline. */
export function errorText(error: WireError, options: ErrorTextOptions): string {
  const paint = painterOf(options.hasColours);
  const lines = [`${paint.alarm(`error[${error.code}]:`)} ${error.message}`];
  lines.push(...sourceLines(error));
  lines.push(...causeLines(error, options));
  lines.push(...recordLines(error));
  if (error.kind === 'internal') lines.push(...reportLines(error, options));
  const hint = hintOf(error);
  if (hint !== undefined) lines.push(`${paint.help('hint:')} ${hint}`);
  return `${lines.join('\n')}\n`;
}

/** Prints an error on stderr. */
export function writeError(
  { stderr, isDebug, workingFolder }: Pick<CliEnv, 'stderr' | 'isDebug' | 'workingFolder'>,
  error: WireError,
): void {
  stderr.write(errorText(error, { hasColours: stderr.hasColours, isDebug, workingFolder }));
}

interface Painter {
  alarm(text: string): string;
  help(text: string): string;
}

function painterOf(hasColours: boolean): Painter {
  if (!hasColours) return { alarm: (text) => text, help: (text) => text };
  // The decision about colours has been made; styleText must not make its own.
  const options = { validateStream: false };
  return {
    alarm: (text) => styleText(['bold', 'red'], text, options),
    help: (text) => styleText('cyan', text, options),
  };
}

/** The line of the user's file that is meant, with a mark below its column. */
function sourceLines({ details }: WireError): string[] {
  const { line, column, source } = details ?? {};
  if (typeof line !== 'number' || typeof source !== 'string') return [];
  const margin = ' '.repeat(String(line).length);
  const shown = [`  ${line} │ ${source}`];
  if (typeof column === 'number') shown.push(`  ${margin} │ ${' '.repeat(column - 1)}^`);
  return shown;
}

function causeLines(error: WireError, options: ErrorTextOptions): string[] {
  const lines: string[] = [];
  let depth = 0;
  let above = error.message;
  for (let cause = error.cause; cause && depth < causesMax; cause = cause.cause, depth++) {
    // Where the message above ends with this one, only the place is news.
    if (!above.endsWith(cause.message)) lines.push(`  caused by: ${cause.message}`);
    above = cause.message;
    const isForeign = cause.code === 'INTERNAL_UNEXPECTED';
    if (isForeign) lines.push(...userFrames(cause.stack, options).map((at) => `    at ${at}`));
  }
  return lines;
}

/** The frames of a stack that are in the user's files, paths as seen from the working folder. */
export function userFrames(
  stack: string | undefined,
  { workingFolder }: Pick<ErrorTextOptions, 'workingFolder'>,
): string[] {
  const frames = (stack ?? '').split('\n').flatMap((line) => {
    const match =
      /^\s+at (?:(.*) \()?(?:file:\/\/)?((?:job:\/\/)?\/[^)]*|[A-Za-z]:[^)]*?):(\d+):(\d+)\)?$/.exec(
        line,
      );
    if (match === null) return [];
    const [, name, path = '', row, column] = match;
    if (path.includes('/node_modules/') || isOwnPlace(path)) return [];
    const place = `${shownPath(decodeURI(path), workingFolder)}:${row}:${column}`;
    return [name === undefined ? place : `${name.replace(/^async /, '')} (${place})`];
  });
  return frames.slice(0, framesMax);
}

/** A file of a job that was submitted is named as seen from the folder of its files: nobody knows here where that is. */
function shownPath(path: string, workingFolder: string): string {
  return path.startsWith(submittedRoot)
    ? path.slice(submittedRoot.length)
    : shortPath(path, workingFolder);
}

/** The shorter of the path as it is and as seen from the working folder. */
export function shortPath(path: string, workingFolder: string): string {
  const seen = relative(workingFolder, path);
  return seen !== '' && seen.length < path.length ? seen : path;
}

/** The row, or the key, that a user's function was called with, where the error carries it. */
function recordLines({ details }: WireError): string[] {
  const row = details?.row;
  return row === undefined ? [] : [`  record: ${row}`];
}

function reportLines(error: WireError, { isDebug }: ErrorTextOptions): string[] {
  const lines = ['  this is a bug in Millrace: please report it with the lines above'];
  if (isDebug) lines.push(...(innermost(error).stack ?? 'no stack').split('\n'));
  else lines.push('  MILLRACE_DEBUG=1 in the environment shows where it happened');
  return lines;
}

function innermost(error: WireError): WireError {
  return error.cause ? innermost(error.cause) : error;
}

/** The first hint from the outside in: the layer that knows most about the user has it. */
function hintOf(error: WireError): string | undefined {
  return error.hint ?? (error.cause && hintOf(error.cause));
}
