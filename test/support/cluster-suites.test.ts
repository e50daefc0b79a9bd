/** Goal: the lists of what runs on a cluster name files that are there, and a run becomes the submission that it should. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder } from './cli-process.ts';
import { representativeSuites, suitesLeftOut } from './cluster-suites.ts';
import { onCluster } from './on-cluster.ts';

const address = '127.0.0.1:7070';

test('each file of the lists is there, and what npm test runs is run by test:long', () => {
  const leftOut = Object.keys(suitesLeftOut);
  const missing = [...representativeSuites, ...leftOut].filter(
    (file) => !existsSync(join(projectFolder, file)),
  );
  expect(missing).toEqual([]);
  expect(representativeSuites.filter((file) => leftOut.includes(file))).toEqual([]);
});

test.each`
  args                                                 | words
  ${['run', 'job.ts', '--json']}                       | ${['submit', 'job.ts', '--json', '--wait']}
  ${['run', 'job.ts', '--spill-dir', 'x', '--rate=9']} | ${['submit', 'job.ts', '--rate=9', '--wait']}
  ${['stop', 'run']}                                   | ${['stop', 'run']}
`('$args on a cluster is $words', ({ args, words }) => {
  const env = { HOME: '/home/ada' };
  expect(onCluster(address, args, env)).toEqual({
    words,
    env: { MILLRACE_CLUSTER: address, ...env },
  });
  expect(onCluster(undefined, args, env)).toEqual({ words: args, env });
});
