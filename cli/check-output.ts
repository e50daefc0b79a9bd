/**
 * Refuses a run whose output would replace what it reads: the same file under any name, an input
 * inside an output folder, a file that the input's glob matches. An output inside an input folder is
 * allowed, for the first run does no harm: the file appears after all has been read. Two outputs in one
 * place are refused as well: the second would replace the first.
 *
 * Looked at before anything is started, so that nothing is lost by a slip on the command line.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { typedError } from '../base/typed-error.ts';
import { isGlob, matchesGlob, parseGlob } from '../connectors/filesystem/glob.ts';
import type { LogicalGraph } from '../engine/plan/logical-graph.ts';

/**
 * @throws SINK_IS_INPUT when a sink's path is, or holds, an input of the job; SINK_PATH_TWICE when it is,
 * or holds, another sink's.
 */
export function checkOutput({ nodes }: LogicalGraph, workingFolder: string): void {
  const inputs = nodes.flatMap((node) => (node.kind === 'source' ? pathsIn(node.source) : []));
  const outputs = nodes.flatMap((node) => (node.kind === 'sink' ? pathsIn(node.sink) : []));
  for (const output of outputs) {
    const real = realPath(resolve(workingFolder, output));
    // What does not exist yet replaces nothing.
    if (real === null) continue;
    const input = inputs.find((one) => wouldReplace(real, one, workingFolder));
    if (input !== undefined) throw outputIsInput(output, input);
  }
  for (const [index, output] of outputs.entries()) {
    const place = placeOf(output, workingFolder);
    const other = outputs.find((one, at) => {
      const holds = withSlash(placeOf(one, workingFolder)).startsWith(withSlash(place));
      return at !== index && holds;
    });
    if (other !== undefined) throw pathTwice(output, other);
  }
}

/** Where a path is, or will be: links are followed as far as there is something. */
function placeOf(path: string, workingFolder: string): string {
  const whole = resolve(workingFolder, path);
  const real = realPath(whole);
  if (real !== null || dirname(whole) === whole) return real ?? whole;
  return join(placeOf(dirname(whole), workingFolder), basename(whole));
}

function wouldReplace(output: string, input: string, workingFolder: string): boolean {
  const real = realPath(resolve(workingFolder, input));
  if (real !== null) return real === output || real.startsWith(withSlash(output));
  if (!isGlob(input)) return false;
  const glob = parseGlob(input);
  const base = realPath(resolve(workingFolder, glob.base));
  if (base === null) return false;
  if (withSlash(base).startsWith(withSlash(output))) return true;
  if (!output.startsWith(withSlash(base))) return false;
  return matchesGlob(glob, output.slice(withSlash(base).length).replaceAll(sep, '/'));
}

function withSlash(path: string): string {
  return path.endsWith(sep) ? path : path + sep;
}

function pathsIn({ options }: { readonly options: unknown }): string[] {
  const hasPath = typeof options === 'object' && options !== null && 'path' in options;
  return hasPath && typeof options.path === 'string' ? [options.path] : [];
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null; // Not there, or not to be looked at: the run itself says which.
  }
}

function pathTwice(output: string, other: string) {
  const isSame = output === other;
  const message = isSame
    ? `two outputs go to "${output}"`
    : `outputs "${output}" and "${other}" are in one place`;
  return typedError('SINK_PATH_TWICE', message, {
    hint: 'Choose a path of its own for each output. Nothing was read or written.',
    details: { output, other },
  });
}

function outputIsInput(output: string, input: string) {
  const same = output === input ? '' : ` "${input}"`;
  return typedError('SINK_IS_INPUT', `output "${output}" would replace the input${same}`, {
    hint: 'Choose another output path. Nothing was read or written.',
    details: { output, input },
  });
}
