/**
 * Who may import whom. What is not listed is denied: a new folder, a new folder of engine/, a new
 * package or another of Node's modules needs an entry here before its first import.
 *
 * - `mayImport`: the folder table. An entry is a folder or a single file without its ending.
 * - `engineOrder`: the reading order of engine/ and at the same time its import order: a folder
 *   imports only from folders before it. `expr` comes before `contracts` and `plan` before `compile`
 *   and `operators`, since both turn parts of a plan into what runs.
 * - `packageOwners`: the folders that may touch a package. Tests may touch any listed one.
 * - `pureModules`: Node's modules that do no I/O. All others are I/O and belong to `ioFolders`.
 *
 * test/layers.test.ts plants a violation of each rule and expects its name.
 */
const everyRole = ['base', 'engine', 'dfs', 'connectors', 'coordinator', 'worker', 'jobs'];

const mayImport = {
  base: [],
  engine: ['base'],
  dfs: ['base'],
  connectors: ['base', 'engine', 'dfs/client'],
  coordinator: ['base', 'engine', 'connectors'],
  worker: ['base', 'engine', 'connectors', 'coordinator/protocol'],
  jobs: ['engine/api', 'connectors'],
  cli: everyRole,
  web: ['coordinator/http/api'],
  simulation: everyRole,
  bench: [...everyRole, 'cli'],
  test: [...everyRole, 'cli', 'simulation', 'bench'],
};

const engineOrder = [
  'schema',
  'memory',
  'kernels',
  'batch',
  'expr',
  'contracts',
  'plan',
  'compile',
  'time',
  'keys',
  'checkpoint',
  'stream',
  'spill',
  'state',
  'shuffle',
  'operators',
  'task',
  'api',
];

/** Runs on a developer's machine only: it compiles the kernels and writes their bytes. */
const kernelBuild = 'engine/kernels/build-kernels';
/** Runs when the packages are installed, or not at all. */
const bundleBuild = 'cli/build-bundle';

const packageOwners = {
  '@node-rs/crc32': ['base/env'],
  '@platformatic/kafka': ['connectors/kafka/platformatic'],
  acorn: ['engine/expr', 'cli'],
  'apache-arrow': ['engine', 'connectors', 'worker', 'bench'],
  assemblyscript: [kernelBuild],
  commander: ['cli', 'bench'],
  esbuild: ['cli/cluster'],
  'fast-check': [],
  croner: ['coordinator/scheduler'],
  kafkajs: ['connectors/kafka/kafkajs', 'bench/peers'],
  piscina: ['worker'],
  rolldown: [bundleBuild],
  rxjs: ['connectors/rxjs', 'cli/rxjs', 'coordinator', 'worker'],
  typescript: [],
  vitest: ['vitest.config'],
  zod: ['cli'],
};

const pureModules = ['path', 'url', 'util', 'zlib'];
const ioFolders = [
  'base/env',
  'base/http',
  'base/rpc',
  'worker/threads',
  'cli',
  'bench',
  'simulation',
  'test',
];

const folders = Object.keys(mayImport);
const under = (paths) => `^(${paths.join('|')})(/|\\.[cm]?[jt]s$)`;
const quoted = (name) => name.replace(/[.]/g, '\\.');
const inPackage = (names) => `(^|/)node_modules/(${names.map(quoted).join('|')})/`;
const nodeModule = (names) => `^(node:)?(${names.join('|')})(/|$)`;
const ours = {
  couldNotResolve: false, // One fault, one rule: "resolved".
  pathNot: '(^|/)node_modules/',
  dependencyTypesNot: ['core', 'npm', 'npm-dev', 'npm-optional'],
};
const shipped = under(folders.filter((folder) => folder !== 'test' && folder !== 'bench'));

const generalRules = [
  {
    name: 'no-circular',
    comment: 'A cycle, even of types, has no first file to read. Move what both need below both.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'resolved',
    comment: 'An import that leads nowhere is seen by no other rule.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'folder-listed',
    comment: 'A folder imports nothing before it has an entry in mayImport.',
    severity: 'error',
    from: { path: '/', pathNot: under(folders) },
    to: {},
  },
  {
    name: 'folder-listed-alone',
    comment: 'The same for a file that neither imports nor is imported.',
    severity: 'error',
    from: { orphan: true, path: '/', pathNot: under(folders) },
    to: {},
  },
  {
    name: 'engine-folder-listed',
    comment: 'A folder of engine/ needs its place in engineOrder.',
    severity: 'error',
    from: { path: '^engine/', pathNot: under(engineOrder.map((folder) => `engine/${folder}`)) },
    to: {},
  },
  {
    name: 'package-declared',
    comment: 'A package that package.json does not name is there by chance.',
    severity: 'error',
    from: {},
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'package-listed',
    comment: 'A package needs an owner in packageOwners.',
    severity: 'error',
    from: {},
    to: { path: '(^|/)node_modules/', pathNot: inPackage(Object.keys(packageOwners)) },
  },
  {
    name: 'not-to-dev',
    comment: 'What users run may not need what only developers install.',
    severity: 'error',
    from: { path: shipped, pathNot: under([kernelBuild, bundleBuild]) },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'engine-does-no-io',
    comment: 'No module of Node at all: time, chance and threads come in as arguments.',
    severity: 'error',
    from: { path: '^engine/', pathNot: under([kernelBuild]) },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'io-in-its-place',
    comment: 'I/O goes through the seams of base/env, so that a simulation can own it.',
    severity: 'error',
    from: { path: under(folders), pathNot: under([...ioFolders, 'engine']) },
    to: { dependencyTypes: ['core'], pathNot: nodeModule(pureModules) },
  },
];

const folderRules = Object.entries(mayImport).map(([from, to]) => ({
  name: `${from}-imports`,
  comment: `${from}/ may import: ${to.join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^${from}/` },
  to: { ...ours, pathNot: [ours.pathNot, under([from, ...to])] },
}));

const engineRules = engineOrder.slice(0, -1).map((folder, index) => ({
  name: `engine-order-${folder}`,
  comment: `engine/${folder} may import: ${engineOrder.slice(0, index).join(', ') || 'no other folder'}`,
  severity: 'error',
  from: { path: `^engine/${folder}/` },
  to: { path: under(engineOrder.slice(index + 1).map((later) => `engine/${later}`)) },
}));

const packageRules = Object.entries(packageOwners).map(([name, owners]) => ({
  name: `package-${name}`,
  comment: `${name} may be imported by: ${[...owners, 'test'].join(', ')}`,
  severity: 'error',
  from: { pathNot: [under([...owners, 'test']), '(^|/)node_modules/'] },
  to: { path: inPackage([name]) },
}));

module.exports = {
  forbidden: [...generalRules, ...folderRules, ...engineRules, ...packageRules],
  options: {
    // Dot folders are caches; a folder of anything else is read, so that an unlisted one is seen.
    exclude: { path: '^(dist|\\.[^/.]+)/|\\.as\\.ts$|^bench/\\.data/' },
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    // Without these "millrace" and "millrace/files" resolve to nothing, and the rule for jobs can't fail.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
