/**
 * Loads a bundled job in this process, to build its graph from the very code that the workers load. It is not written to a
 * disk: a hook gives it to Node under a name in the folder of the user's files, so that its map leads to them.
 *
 * Before: cli/cluster/submit-job.ts. After: engine/api/define-job.ts.
 */
import { registerHooks, setSourceMapsSupport } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { registerMillraceResolver } from '../../base/env/millrace-resolver.ts';
import type { JobDefinition } from '../../engine/api/define-job.ts';
import { jobIn } from '../load-job.ts';
import { type JobBundle, withMap } from './bundle-job.ts';

/**
 * Imports the bundle, and checks that it exports a job.
 *
 * @param path - Of the job file, absolute; `file` is the same as the user wrote it.
 * @throws JOB_FILE_THREW, JOB_FILE_IMPORT, JOB_NOT_A_JOB, or what the module itself throws where that is a typed error
 */
export async function loadBundle(
  { hash, code, map, root }: JobBundle,
  { path, file }: { readonly path: string; readonly file: string },
): Promise<JobDefinition> {
  registerMillraceResolver();
  setSourceMapsSupport(true, { nodeModules: true });
  const { href } = pathToFileURL(join(root, `.millrace-${hash.slice(0, 16)}.mjs`));
  const source = withMap(code, map);
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === href
        ? { url: href, format: 'module', shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      url === href ? { format: 'module', source, shortCircuit: true } : next(url, context),
  });
  try {
    return jobIn(await import(href), file);
  } catch (error) {
    const { importError } = await import('../import-error.ts');
    throw await importError(error, path, file);
  } finally {
    hooks.deregister();
  }
}
