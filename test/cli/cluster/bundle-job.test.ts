/**
 * Goal: a job file becomes one module with all that it imports, the same bytes wherever it lies, whose errors lead to the
 * user's own lines; what can't be in it is refused by name.
 */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { codeOf, type TypedError } from '../../../base/typed-error.ts';
import { bundleJob } from '../../../cli/cluster/bundle-job.ts';
import { nativeImport } from '../../support/native-import.ts';
import { tempFolder } from '../../support/temp-folder.ts';

// The bundle is loaded by Node, and so is the engine that it uses.
const { loadBundle } = nativeImport<typeof import('../../../cli/cluster/load-bundle.ts')>(
  'cli/cluster/load-bundle.ts',
);
const { buildJob } =
  nativeImport<typeof import('../../../engine/api/build-job.ts')>('engine/api/build-job.ts');

/** Files of a job, by path. */
type Files = Readonly<Record<string, string>>;

const job = `import { defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';
import { shout } from './lib/shout.ts';
import { pad } from 'padder';

export default defineJob({
  name: 'shouts',
  params: { input: t.path(), isBad: t.bool().default(false) },
  build: ({ read, params }) => {
    if (params.isBad) shout('');
    return read(files.source({ path: params.input, format: text() }))
      .map(t.struct({ loud: t.utf8() }), ({ text }) => ({ loud: pad(shout(text)) }))
      .writeTo(files.sink({ path: '/out.csv' }));
  },
});
`;
const shout = `export type Loud = string;

export function shout(text: string): Loud {
  if (text === '') throw new Error('nothing to shout');
  return text.toUpperCase();
}
`;
/** CommonJS, and asks for a module of Node's while it runs. */
const padder = `const { sep } = require('path');
exports.pad = (text) => sep + text;
`;
const shouts: Files = {
  'job.ts': job,
  'lib/shout.ts': shout,
  'node_modules/padder/package.json':
    '{ "name": "padder", "version": "1.0.0", "main": "index.js" }',
  'node_modules/padder/index.js': padder,
};

interface MapFunctions {
  map(row: { readonly text: string }): unknown;
}

function thrownBy(work: () => unknown): TypedError {
  try {
    work();
  } catch (error) {
    return error as TypedError;
  }
  throw new Error('nothing was thrown');
}

/** Stacks as Node makes them: vitest has maps of its own. */
function nodeStacks(): void {
  const { prepareStackTrace } = Error;
  Reflect.deleteProperty(Error, 'prepareStackTrace');
  onTestFinished(() => {
    Error.prepareStackTrace = prepareStackTrace;
  });
}

async function bundleOf(files: Files) {
  const folder = tempFolder(files);
  return { folder, bundle: await bundleJob(join(folder, 'job.ts'), 'job.ts') };
}

test('the same source makes the same bytes wherever it lies, and names no folder of this machine', async () => {
  const one = await bundleOf(shouts);
  const other = await bundleOf(shouts);
  expect(other.bundle.hash).toBe(one.bundle.hash);
  const changed = await bundleOf({ ...shouts, 'lib/shout.ts': `${shout}// more\n` });
  expect(changed.bundle.hash).not.toBe(one.bundle.hash);
  const { folder, bundle } = one;
  const text = new TextDecoder().decode(bundle.bytes);
  const [code = '', data = ''] = text.split('base64,');
  const map = Buffer.from(data, 'base64').toString();
  expect(code + map).not.toContain(folder);
  expect(JSON.parse(map)).toMatchObject({
    sourceRoot: 'job:///',
    sources: ['node_modules/padder/index.js', 'job.ts', 'lib/shout.ts'],
  });
  expect(code).toContain('from "millrace/files"');
  expect(bundle).toMatchObject({ root: folder, placed: [] });
});

test('the bundle is loaded without a file of its own, and an error in it leads to the line of the user', async () => {
  nodeStacks();
  const { folder, bundle } = await bundleOf(shouts);
  const loaded = await loadBundle(bundle, { path: join(folder, 'job.ts'), file: 'job.ts' });
  const { graph, functions } = buildJob(loaded, { input: '/in.txt' });
  expect(graph.jobName).toBe('shouts');
  const { map } = functions.get('map-1') as unknown as MapFunctions;
  expect(map({ text: 'a' })).toEqual({ loud: '/A' });
  const thrown = thrownBy(() => buildJob(loaded, { input: '/in.txt', isBad: true }));
  expect(thrown.info.details).toEqual({ place: `${folder}/lib/shout.ts:4:26` });
});

const addon = {
  'node_modules/addon/package.json': '{ "name": "addon", "version": "1.0.0", "main": "index.js" }',
};
const imports = (name: string) => ({ 'job.ts': `import ${name};\nexport default 1;\n` });

test.each`
  what                             | files                                                                                             | code                   | message
  ${'a native module'}             | ${{ ...imports("'addon'"), ...addon, 'node_modules/addon/index.js': "require('./a.node')" }}      | ${'JOB_BUNDLE_NATIVE'} | ${/package "addon" has a native module/}
  ${'one that looks for its own'}  | ${{ ...imports("'addon'"), ...addon, 'node_modules/addon/index.js': "require('bindings')('a')" }} | ${'JOB_BUNDLE_NATIVE'} | ${/package "addon" has a native module/}
  ${'a package that is not there'} | ${imports("'nowhere'")}                                                                           | ${'JOB_FILE_IMPORT'}   | ${/job\.ts:1:8: "nowhere" is imported, which is not there/}
  ${'a file that is not there'}    | ${imports("'./no.ts'")}                                                                           | ${'JOB_FILE_IMPORT'}   | ${/job\.ts:1:8: "\.\/no\.ts" is imported/}
  ${'a name that is not there'}    | ${{ ...imports("{ no } from './lib.ts'; no()"), 'lib.ts': 'export const yes = 1;' }}              | ${'JOB_FILE_IMPORT'}   | ${/"lib\.ts" exports nothing named "no"/}
  ${'a line that does not parse'}  | ${{ 'job.ts': 'const a = 1;\nconst b = ;\n' }}                                                    | ${'JOB_FILE_SYNTAX'}   | ${/job\.ts:2:11: unexpected ";"/}
`('$what is refused', async ({ files, code, message }) => {
  const folder = tempFolder(files);
  const error = await bundleJob(join(folder, 'job.ts'), 'job.ts').catch((thrown) => thrown);
  expect(codeOf(error)).toBe(code);
  expect(error.message).toMatch(message);
});

test('files that ask where they lie are told of: what is beside them does not travel', async () => {
  const { bundle } = await bundleOf({
    'job.ts': "import './lib/data.ts';\nexport default import.meta.url;\n",
    'lib/data.ts': "export const at = new URL('./data.csv', import.meta.url);\n",
  });
  expect(bundle.placed).toEqual(['lib/data.ts']);
});

test('code that throws while it is loaded is told of with its place', async () => {
  nodeStacks();
  const { folder, bundle } = await bundleOf({
    'job.ts': "import { no } from './lib/no.ts';\nno();\nexport default 1;\n",
    'lib/no.ts': "\nexport function no() {\n  throw new Error('not today');\n}\n",
  });
  const place = { path: join(folder, 'job.ts'), file: 'job.ts' };
  const error = await loadBundle(bundle, place).catch((thrown) => thrown);
  expect(error.info.code).toBe('JOB_FILE_THREW');
  expect(error.cause.stack).toContain(`${folder}/lib/no.ts:3:9`);
});
