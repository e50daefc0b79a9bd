/**
 * Makes one module of a job file and all that it imports, for a job that runs on other hosts: esbuild puts the user's files and
 * npm packages together, and `millrace`, `millrace/…` and Node's own modules stay imports.
 *
 *     job.ts ─▶ words.ts ─▶ node_modules/…  ──esbuild──▶  code, and a map of its places ──▶ SHA-256
 *
 * The same source makes the same bytes wherever it lies: paths are seen from the folder of the job file, and in the map from
 * the folder that all of the user's files are in. A map of sources is read when a stack is made, so that an error on a
 * worker shows the user's file and line, as `job:///words.ts:12:5`.
 *
 * What esbuild reads as Node does not is turned off: tsconfig.json, the "module" field and condition of packages.
 *
 * Before: cli/cluster/submit-job.ts. After: cli/cluster/load-bundle.ts.
 */
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { BuildOptions, BuildResult, Metafile } from 'esbuild';
import { sha256Of } from '../../base/env/sha256.ts';
import { typedError } from '../../base/typed-error.ts';
import { formatBytes } from '../../base/units.ts';
import { bundleBytesMax } from '../../coordinator/protocol/clients.ts';
import { submittedRoot } from '../error-text.ts';
import { bundleError } from './bundle-error.ts';
import { nativeModules } from './native-modules.ts';

export interface JobBundle {
  /** SHA-256 of `bytes`, in hex. */
  readonly hash: string;
  /** The code with its map, which says `job:///` before each of the user's files. */
  readonly bytes: Uint8Array;
  /** The code alone. */
  readonly code: string;
  /** The folder that all of the user's files are in. */
  readonly root: string;
  /** A map of sources as JSON, with paths as seen from `root`. */
  readonly map: string;
  /** The user's files, and packages, that ask where they lie: what is beside them is not in the bundle. */
  readonly placed: readonly string[];
}

/** What esbuild's shim asks for, where a CommonJS package has a module of Node's; it is there in no ES module. */
const requireBanner =
  "import { createRequire as millraceRequire } from 'node:module'; const require = millraceRequire(import.meta.url);";

/** Reads where a module lies, to find a file beside it. */
const placeUse =
  /new URL\([^()]*import\.meta\.url|import\.meta\.(?:dirname|filename)|\b__(?:dirname|filename)\b/;

const options = {
  bundle: true,
  write: false,
  metafile: true,
  format: 'esm',
  platform: 'node',
  target: 'esnext',
  charset: 'utf8',
  legalComments: 'none',
  sourcemap: 'external',
  sourcesContent: true,
  logLevel: 'silent',
  external: ['millrace', 'millrace/*'],
  // As Node reads it: no settings of a compiler, and imports of values stay also where nothing uses them.
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
  mainFields: ['main'],
  conditions: [],
  define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' },
} satisfies BuildOptions;

/**
 * Bundles a job file.
 *
 * @param path - Absolute.
 * @param file - The same as the user wrote it.
 * @throws JOB_FILE_IMPORT, JOB_FILE_SYNTAX, JOB_BUNDLE_NATIVE, BUNDLE_TOO_LARGE, JOB_BUNDLE_FAILED
 */
export async function bundleJob(path: string, file: string): Promise<JobBundle> {
  const folder = dirname(path);
  const result = await build(path, file);
  const [code, map] = [textOf(result, '.mjs'), textOf(result, '.map')];
  const inputs = Object.keys(result.metafile.inputs).map((name) => resolve(folder, name));
  const root = rootOf(path, inputs);
  const sources = sourcesIn(map, { folder, root });
  const sent = withMap(code, JSON.stringify({ ...sources, sourceRoot: submittedRoot }));
  const bytes = new TextEncoder().encode(sent);
  if (bytes.length > bundleBytesMax) throw tooLargeError(file, bytes.length);
  return {
    hash: sha256Of(bytes),
    ...{ bytes, code, root, map: JSON.stringify(sources) },
    placed: placedIn(sources),
  };
}

/** A module with its map inside. */
export function withMap(code: string, map: string): string {
  const data = Buffer.from(map).toString('base64');
  return `${code}//# sourceMappingURL=data:application/json;base64,${data}\n`;
}

type Built = BuildResult<typeof options>;

async function build(path: string, file: string): Promise<Built> {
  const esbuild = await import('esbuild').catch((error: unknown) => {
    throw missingError(error);
  });
  const folder = dirname(path);
  const here = {
    ...{ entryPoints: [path], absWorkingDir: folder, outfile: join(folder, 'bundle.mjs') },
    plugins: [nativeModules],
  };
  try {
    const result = await esbuild.build({ ...options, ...here });
    if (!requiresAtRunTime(result.metafile)) return result;
    return await esbuild.build({ ...options, ...here, banner: { js: requireBanner } });
  } catch (error) {
    throw bundleError(error, { folder, file });
  } finally {
    // Else its process stays until ours ends.
    await esbuild.stop();
  }
}

/** Whether a `require` is left in it. */
function requiresAtRunTime({ outputs }: Metafile): boolean {
  return Object.values(outputs).some(({ imports }) =>
    imports.some(({ kind }) => kind === 'require-call' || kind === 'require-resolve'),
  );
}

function textOf({ outputFiles }: Built, ending: string): string {
  return outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
}

/** The folder that all of the user's own files are in, with those of the job file. */
function rootOf(path: string, inputs: readonly string[]): string {
  const own = inputs.filter((input) => !input.includes(`${sep}node_modules${sep}`));
  let root = dirname(path);
  while (own.some((input) => !input.startsWith(withSlash(root))) && dirname(root) !== root) {
    root = dirname(root);
  }
  return root;
}

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent: readonly string[];
}

/** The map with other names for its sources: as seen from the root, those of packages from their folder. */
function sourcesIn(map: string, { folder, root }: { folder: string; root: string }): SourceMap {
  const all = JSON.parse(map) as SourceMap;
  const nameOf = (source: string) => {
    const absolute = resolve(folder, source);
    const inPackages = absolute.lastIndexOf(`${sep}node_modules${sep}`);
    const name = inPackages < 0 ? relative(root, absolute) : absolute.slice(inPackages + 1);
    return encodeURI(name.split(sep).join('/'));
  };
  return { ...all, sources: all.sources.map(nameOf) };
}

function placedIn({ sources, sourcesContent }: SourceMap): string[] {
  const placed = sources.filter((_, index) => placeUse.test(sourcesContent[index] ?? ''));
  return placed.map((source) => decodeURI(source)).sort();
}

function withSlash(path: string): string {
  return path.endsWith(sep) ? path : path + sep;
}

function tooLargeError(file: string, sizeBytes: number) {
  const message = `"${file}" has ${formatBytes(sizeBytes)} with all that it imports`;
  return typedError('BUNDLE_TOO_LARGE', message, {
    hint: `A job may have ${formatBytes(bundleBytesMax)}. Keep data in a file that the workers can read, and look for packages that are not needed.`,
    details: { sizeBytes },
  });
}

function missingError(cause: unknown) {
  return typedError('JOB_BUNDLE_FAILED', 'esbuild, which bundles jobs, is not installed', {
    hint: `Run npm ci in the folder of Millrace. It has a program of its own for each system; ${basename(process.execPath)} runs on ${process.platform} ${process.arch}.`,
    cause,
  });
}
