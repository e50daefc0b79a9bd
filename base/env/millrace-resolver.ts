/**
 * Lets a job file that lives outside this package write `import … from 'millrace'`: the name then
 * means the very package that runs the job, never another copy that happens to be installed nearby,
 * for two copies would not know each other's job definitions.
 *
 * A module in this package finds `millrace` through the package's own exports map. So the hook only
 * asks Node to resolve such a name as if this file had written it. Hooks belong to one thread:
 * whoever imports a job file, the cli or a slot thread, calls this first. Calling it again is
 * harmless: the second hook finds the work of the first already done.
 */
import { registerHooks } from 'node:module';

/** In the bundle (cli/build-bundle.mjs) the same names mean the bundle's modules. */
const isBundled = !import.meta.url.endsWith('.ts');

/** Registers the hooks in this thread; call it before a job file is imported. */
export function registerMillraceResolver(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (isMillrace(specifier)) {
        const { conditions } = context;
        return nextResolve(specifier, {
          ...context,
          conditions: isBundled ? [...conditions, 'millrace-bundle'] : conditions,
          parentURL: import.meta.url,
        });
      }
      const resolved = nextResolve(specifier, context);
      // Without a package.json that says so, Node would parse the file twice to learn that it is a
      // module, and print a warning about it.
      const isUndeclared = resolved.format === undefined || resolved.format === null;
      if (isUndeclared && resolved.url.endsWith('.ts')) {
        return { ...resolved, format: 'module-typescript' };
      }
      return resolved;
    },
  });
}

function isMillrace(specifier: string): boolean {
  return specifier === 'millrace' || specifier.startsWith('millrace/');
}
