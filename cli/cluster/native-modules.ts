/**
 * A plugin of esbuild that refuses what can't be in a bundle: native modules, which are files for one system, and the packages
 * that look for such files while they are loaded. The error names the package that wants them.
 *
 * Before: cli/cluster/bundle-job.ts.
 */
import { sep } from 'node:path';
import type { OnResolveArgs, Plugin } from 'esbuild';

/** What is told of it in esbuild's error, for bundle-error.ts. */
export interface NativeUse {
  readonly kind: 'native';
  /** The package, or the file where it is none. */
  readonly name: string;
}

/** They find the file of a native module for the system that they run on. */
const finders =
  /^(bindings|node-gyp-build|node-gyp-build-optional-packages|@mapbox\/node-pre-gyp)$/;

export const nativeModules: Plugin = {
  name: 'native-modules',
  setup(build) {
    const refuse = ({ importer, path }: OnResolveArgs) => {
      const detail: NativeUse = { kind: 'native', name: packageOf(importer) ?? path };
      return { errors: [{ text: `native module ${path}`, detail }] };
    };
    build.onResolve({ filter: /\.node$/ }, refuse);
    build.onResolve({ filter: finders }, refuse);
  },
};

/** `@scope/name` of a path in `node_modules`; null for a user's own file. */
function packageOf(path: string): string | null {
  const parts = path.split(sep);
  const at = parts.lastIndexOf('node_modules');
  const [first = '', second = ''] = at < 0 ? [] : parts.slice(at + 1);
  if (first === '') return null;
  return first.startsWith('@') ? `${first}/${second}` : first;
}
