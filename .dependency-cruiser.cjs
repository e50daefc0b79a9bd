/**
 * Who may import whom. `mayImport` is the folder table; `engineOrder` is the reading order of
 * engine/ and at the same time its import order: a folder imports only from folders before it.
 */
const mayImport = {
  base: [],
  engine: ['base'],
  dfs: ['base'],
  connectors: ['base', 'engine', 'dfs/client'],
  coordinator: ['base', 'engine', 'connectors'],
  worker: ['base', 'engine', 'connectors', 'coordinator/protocol'],
  jobs: ['engine/api', 'connectors'],
  cli: ['base', 'engine', 'connectors', 'jobs', 'coordinator', 'worker', 'dfs'],
  web: ['coordinator/http/api'],
};

const engineOrder = [
  'schema',
  'memory',
  'kernels',
  'batch',
  'expr',
  'compile',
  'time',
  'keys',
  'state',
  'checkpoint',
  'stream',
  'contracts',
  'shuffle',
  'operators',
  'plan',
  'task',
  'api',
];

/** Which folders may touch which package. To add: deny what is not listed, and Node's I/O modules outside base/env. */
const packageOwners = {
  'apache-arrow': ['engine', 'connectors', 'worker'],
  piscina: ['worker'],
  kafkajs: ['connectors/kafka'],
  '@platformatic/kafka': ['connectors/kafka'],
  '@aws-sdk/client-s3': ['connectors/filesystem'],
  minio: ['connectors/filesystem'],
  rxjs: ['connectors/rxjs', 'coordinator', 'worker'],
  commander: ['cli'],
};

const code = `^(${Object.keys(mayImport).join('|')})/`;
const under = (paths) => `^(${paths.join('|')})(/|\\.ts$)`;

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'not-to-test',
      severity: 'error',
      from: { path: code },
      to: { path: '^(test|bench|simulation)/' },
    },
    {
      name: 'not-to-undeclared',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'not-to-dev',
      severity: 'error',
      from: { path: code },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'engine-does-no-io',
      severity: 'error',
      from: { path: '^engine/' },
      to: { dependencyTypes: ['core'] },
    },
    ...Object.entries(mayImport).map(([from, to]) => ({
      name: `${from}-imports`,
      comment: `${from}/ may import: ${to.join(', ') || 'nothing of ours'}`,
      severity: 'error',
      from: { path: `^${from}/` },
      to: { path: code, pathNot: under([from, ...to]) },
    })),
    ...engineOrder.slice(0, -1).map((folder, index) => ({
      name: `engine-order-${folder}`,
      severity: 'error',
      from: { path: `^engine/${folder}/` },
      to: { path: under(engineOrder.slice(index + 1).map((later) => `engine/${later}`)) },
    })),
    ...Object.entries(packageOwners).map(([name, owners]) => ({
      name: `package-${name}`,
      severity: 'error',
      from: { path: code, pathNot: under(owners) },
      to: { path: `node_modules/${name}/` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
