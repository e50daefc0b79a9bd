/**
 * Imports a module as Node does, and not through vitest: for code that gives modules to Node's own loader. It is then
 * another copy of that module than the test's own, with all that it imports.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** @param path - From the root of the project. */
export function nativeImport<Module>(path: string): Module {
  // Node loads what is required itself, ES modules as well.
  return require(`../../${path}`) as Module;
}
