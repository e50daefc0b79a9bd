/**
 * Goal: the layer rules can fail. Each kind of forbidden import is planted in a stub of the tree and
 * must be refused by the rule that is meant for it; the stub without them, and the real tree, pass.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}
interface Cruise {
  readonly violations: readonly Violation[];
  readonly totalCruised: number;
}

function cruise(folder: string): Cruise {
  const output = execFileSync(process.execPath, [cruiser, '.', '--output-type', 'json'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(output).summary;
}

/** The other half of the planted cycle; the tool names a cycle once, by its first file. */
const cycleEnd = {
  'base/cycle-b.ts': "import type { A } from './cycle-a.ts'; export type B = A | null;",
};

/** A small tree that keeps all rules, with one import of each kind that is allowed. */
const clean: Record<string, string> = {
  'base/assert.ts': 'export const assert = 1;',
  'base/env/real-disk.ts': "import fs from 'node:fs'; export const disk = fs;",
  'engine/memory/ring.ts':
    "import { assert } from '../../base/assert.ts'; export const ring = assert;",
  'engine/kernels/take.ts': "import { ring } from '../memory/ring.ts'; export const take = ring;",
  'engine/kernels/build-kernels.ts':
    "import fs from 'node:fs'; import asc from 'assemblyscript/asc'; export const build = [fs, asc];",
  'engine/expr/lambda.ts': "import { parse } from 'acorn'; export const lambda = parse;",
  'engine/operators/filter.ts':
    "import { take } from '../kernels/take.ts'; export const filter = take;",
  'engine/batch/ipc.ts': "import { Table } from 'apache-arrow'; export const ipc = Table;",
  'engine/api/index.ts':
    "import { filter } from '../operators/filter.ts'; export const api = filter;",
  'connectors/kafka/platformatic/client.ts':
    "import { ConnectionPool } from '@platformatic/kafka'; export const pool = ConnectionPool;",
  'connectors/kafka/kafkajs/client.ts':
    "import kafkajs from 'kafkajs'; export const kafka = kafkajs;",
  'connectors/files.ts': "import { posix } from 'node:path'; export const files = posix;",
  'coordinator/protocol.ts': 'export type Message = string;',
  'coordinator/job-master.ts':
    "import type { Message } from './protocol.ts'; export type M = Message;",
  'worker/threads/pool.ts': "import { Piscina } from 'piscina'; export const pool = Piscina;",
  'worker/executor.ts':
    "import type { Message } from '../coordinator/protocol.ts'; export type E = Message;",
  'dfs/client/dfs-client.ts':
    "import { assert } from '../../base/assert.ts'; export const c = assert;",
  'dfs/namenode/main.ts': "import { c } from '../client/dfs-client.ts'; export const n = c;",
  'jobs/wordcount/job.ts':
    "import { api } from 'millrace'; import { files } from 'millrace/files'; export default [api, files];",
  'simulation/index.ts':
    "import { filter } from '../engine/operators/filter.ts'; export const s = filter;",
  'cli/main.ts':
    "import { Command } from 'commander'; import { pool } from '../worker/threads/pool.ts';" +
    ' export const main = [Command, pool];',
  'test/a.test.ts':
    "import { s } from '../simulation/index.ts'; import { test } from 'vitest'; test('', s);",
};

/** File → content, and the rule that must refuse it. */
const planted: Record<string, { readonly content: string; readonly rule: string }> = {
  'engine/kernels/to-operator.ts': {
    content: "import { filter } from '../operators/filter.ts'; export const x = filter;",
    rule: 'engine-order-kernels',
  },
  'engine/operators/to-fs.ts': {
    content: "import fs from 'node:fs'; export const x = fs;",
    rule: 'engine-does-no-io',
  },
  'engine/operators/to-path.ts': {
    content: "import { sep } from 'node:path'; export const x = sep;",
    rule: 'engine-does-no-io',
  },
  'engine/task/to-piscina.ts': {
    content: "import { Piscina } from 'piscina'; export const x = Piscina;",
    rule: 'package-piscina',
  },
  'engine/task/to-acorn.ts': {
    content: "import { parse } from 'acorn'; export const x = parse;",
    rule: 'package-acorn',
  },
  'engine/task/to-dev.ts': {
    content: "import fc from 'fast-check'; export const x = fc;",
    rule: 'not-to-dev',
  },
  'engine/novel/unlisted.ts': {
    content: "import { assert } from '../../base/assert.ts'; export const x = assert;",
    rule: 'engine-folder-listed',
  },
  'base/to-engine.ts': {
    content: "import type { ring } from '../engine/memory/ring.ts'; export type X = typeof ring;",
    rule: 'base-imports',
  },
  'base/to-fs.ts': {
    content: "import fs from 'node:fs'; export const x = fs;",
    rule: 'io-in-its-place',
  },
  'connectors/to-net.ts': {
    content: "import net from 'node:net'; export const x = net;",
    rule: 'io-in-its-place',
  },
  'connectors/kafka/to-platformatic.ts': {
    content:
      "import { ConnectionPool } from '@platformatic/kafka'; export const x = ConnectionPool;",
    rule: 'package-@platformatic/kafka',
  },
  'connectors/kafka/platformatic/to-kafkajs.ts': {
    content: "import kafkajs from 'kafkajs'; export const x = kafkajs;",
    rule: 'package-kafkajs',
  },
  'connectors/to-namenode.ts': {
    content: "import { n } from '../dfs/namenode/main.ts'; export const x = n;",
    rule: 'connectors-imports',
  },
  'coordinator/to-fs.ts': {
    content: "import { readFileSync } from 'fs'; export const x = readFileSync;",
    rule: 'io-in-its-place',
  },
  'coordinator/to-worker.ts': {
    content: "import { pool } from '../worker/threads/pool.ts'; export const x = pool;",
    rule: 'coordinator-imports',
  },
  'worker/to-coordinator.ts': {
    content: "import type { M } from '../coordinator/job-master.ts'; export type X = M;",
    rule: 'worker-imports',
  },
  'worker/to-simulation.ts': {
    content: "import { s } from '../simulation/index.ts'; export const x = s;",
    rule: 'worker-imports',
  },
  'dfs/datanode/to-engine.ts': {
    content: "import { ring } from '../../engine/memory/ring.ts'; export const x = ring;",
    rule: 'dfs-imports',
  },
  'jobs/wordcount/to-internals.ts': {
    content: "import { filter } from '../../engine/operators/filter.ts'; export const x = filter;",
    rule: 'jobs-imports',
  },
  'jobs/wordcount/to-testing.ts': {
    content: "import { s } from 'millrace/testing'; export const x = s;",
    rule: 'jobs-imports',
  },
  'cli/to-test.ts': {
    content: "import '../test/a.test.ts'; export const x = 1;",
    rule: 'cli-imports',
  },
  'cli/to-nowhere.ts': {
    content: "import { gone } from './gone.ts'; export const x = gone;",
    rule: 'resolved',
  },
  'cli/to-unlisted-package.ts': {
    content: "import chalk from 'chalk'; export const x = chalk;",
    rule: 'package-listed',
  },
  'cycle/unlisted.ts': { content: "import '../base/assert.ts';", rule: 'folder-listed' },
  'alone/unlisted.ts': { content: 'export const x = 1;', rule: 'folder-listed-alone' },
  'base/cycle-a.ts': {
    content: "import type { B } from './cycle-b.ts'; export type A = B | null;",
    rule: 'no-circular',
  },
};

function writeTree(folder: string, files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${content}\n`);
  }
}

function makeStub(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-layers-'));
  for (const name of ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
    cpSync(join(root, name), join(folder, name));
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  writeTree(folder, files);
  return folder;
}

describe('a stub of the tree', () => {
  const folders: string[] = [];
  let violations: readonly Violation[] = [];

  beforeAll(() => {
    const contents = Object.entries(planted).map(([path, { content }]) => [path, content]);
    const folder = makeStub({ ...clean, ...cycleEnd, ...Object.fromEntries(contents) });
    folders.push(folder);
    violations = cruise(folder).violations;
  });

  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  test('passes while it keeps the rules', () => {
    const folder = makeStub(clean);
    folders.push(folder);
    const { violations: found, totalCruised } = cruise(folder);
    expect(found.map(({ from, rule }) => `${from}: ${rule.name}`)).toEqual([]);
    expect(totalCruised).toBeGreaterThan(Object.keys(clean).length);
  });

  test.each(Object.entries(planted))('%s is refused', (path, { rule }) => {
    const rules = violations.filter(({ from }) => from === path).map((found) => found.rule.name);
    expect(rules).toContain(rule);
  });

  test('nothing but the planted files is refused', () => {
    const innocent = violations.filter(({ from }) => !Object.hasOwn(planted, from));
    expect(innocent).toEqual([]);
  });
});

test('the real tree keeps the rules, and was read', () => {
  const { violations, totalCruised } = cruise(root);
  expect(violations.map(({ from, rule }) => `${from}: ${rule.name}`)).toEqual([]);
  expect(totalCruised).toBeGreaterThan(100);
});
