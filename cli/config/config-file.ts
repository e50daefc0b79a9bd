/**
 * The configuration file: JSON, with the line of each key, for errors and for `millrace config`. JSON is a part of JavaScript, so
 * acorn, which is here for job files, tells where keys stand.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Node, ObjectExpression } from 'acorn';
import { systemCodeOf } from '../../base/env/disk-error.ts';
import { typedError } from '../../base/typed-error.ts';
import type { CliEnv } from '../cli-env.ts';
import { shortPath } from '../error-text.ts';
import { configFileName } from './config-file-name.ts';

/** More than any configuration: what is larger is another file. */
const sizeBytesMax = 1024 * 1024;

export interface ConfigFile {
  /** As people know it: the shorter of the path as it is and as seen from the working folder. */
  readonly name: string;
  /** That relative paths are seen from. */
  readonly folder: string;
  readonly tree: unknown;
  /** `worker.slots` → where it stands. */
  readonly places: ReadonlyMap<string, FilePlace>;
}

export interface FilePlace {
  readonly line: number;
  /** From 1 on. */
  readonly column: number;
  /** The line itself. */
  readonly source: string;
}

/** Reads the file that was named; else the one in the working folder, if there is one. */
export async function readConfigFile(
  env: Pick<CliEnv, 'workingFolder'>,
  named: string | undefined,
): Promise<ConfigFile | null> {
  const path = resolve(env.workingFolder, named ?? configFileName);
  const name = shortPath(path, env.workingFolder);
  const text = textOf(path, name, named !== undefined);
  if (text === null) return null;
  const tree = parsed(text, name);
  const { parseExpressionAt } = await import('acorn');
  const root = parseExpressionAt(text, 0, { ecmaVersion: 'latest', locations: true });
  const places = new Map<string, FilePlace>();
  const doubled = addPlaces(root, { prefix: '', lines: text.split('\n'), places });
  if (doubled !== null) {
    throw typedError('CONFIG_FILE', `key "${doubled}" is in "${name}" twice`, {
      hint: 'Remove one of the two.',
      details: { path, ...places.get(doubled) },
    });
  }
  return { name, folder: dirname(path), tree, places };
}

function textOf(path: string, name: string, isNamed: boolean): string | null {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > sizeBytesMax) {
      throw typedError('CONFIG_FILE', `"${name}" is too large for a configuration`, {
        hint: 'A configuration has at most 1MB.',
        details: { path },
      });
    }
    return new TextDecoder().decode(bytes);
  } catch (error) {
    const systemCode = systemCodeOf(error);
    if (systemCode === 'ENOENT' && !isNamed) return null;
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw typedError('CONFIG_FILE', `"${name}" can not be read: ${systemCode}`, {
      hint: 'Look at the name and at who may read it: --config and MILLRACE_CONFIG name the file, else it is millrace.config.json in the working folder.',
      details: { path, systemCode },
      cause: error,
    });
  }
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const said = error instanceof Error ? error.message : '';
    const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(said) ?? [];
    const place = line === undefined ? '' : `, line ${line}`;
    throw typedError('CONFIG_FILE', `"${name}"${place} is not JSON: ${reasonOf(said)}`, {
      hint: 'JSON has its names in double quotes, no comments, and no comma before a closing bracket.',
      details: {
        path: name,
        ...(line !== undefined && {
          ...{ line: Number(line), column: Number(column) },
          source: text.split('\n')[Number(line) - 1] ?? '',
        }),
      },
    });
  }
}

/** V8's sentence without the place, and without the text that it shows. */
function reasonOf(said: string): string {
  const reason = said.replace(/ in JSON at position.*$/s, '').replace(/, (?:\.\.\.)?".*$/s, '');
  return reason.charAt(0).toLowerCase() + reason.slice(1);
}

/** Adds all keys below; returns the first that is there twice. */
function addPlaces(
  node: Node,
  into: {
    readonly prefix: string;
    readonly lines: readonly string[];
    readonly places: Map<string, FilePlace>;
  },
): string | null {
  const { prefix, lines, places } = into;
  if (node.type !== 'ObjectExpression') return null;
  for (const property of (node as ObjectExpression).properties) {
    if (property.type !== 'Property' || property.key.type !== 'Literal') continue;
    const key = `${prefix}${property.key.value}`;
    if (places.has(key)) return key;
    const { line = 0, column = 0 } = property.key.loc?.start ?? {};
    places.set(key, { line, column: column + 1, source: lines[line - 1] ?? '' });
    const doubled = addPlaces(property.value, { ...into, prefix: `${key}.` });
    if (doubled !== null) return doubled;
  }
  return null;
}
