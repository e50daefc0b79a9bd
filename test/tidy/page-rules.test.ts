/** Goal: each rule on pages refuses a planted violation, and lets a good page pass. */
import { expect, test } from 'vitest';
import {
  hasOneTitle,
  hasReadme,
  linksResolve,
  namesFilesThatExist,
  namesNothingTwice,
} from './page-rules.ts';
import type { Rule } from './tree.ts';

function findings(rule: Rule, files: Record<string, string>): string[] {
  const problems = rule(Object.entries(files).map(([path, text]) => ({ path, text })));
  return problems.map(({ path, line, message }) => `${path}:${line} ${message}`);
}

const empty = Object.fromEntries(
  ['a', 'b', 'c', 'd', 'ring-step'].map((name) => [`engine/memory/${name}.ts`, '']),
);

test('a top-level folder and one of five files need a README', () => {
  const missing = 'missing: what the folder is, and its files in reading order';
  expect(findings(hasReadme, { 'engine/memory/a.ts': '' })).toEqual([
    `engine/README.md:1 ${missing}`,
  ]);
  expect(findings(hasReadme, { ...empty, 'engine/README.md': '' })).toEqual([
    `engine/memory/README.md:1 ${missing}`,
  ]);
  expect(findings(hasReadme, { 'test/engine/memory/a.test.ts': '', 'test/README.md': '' })).toEqual(
    [],
  );
});

test('a README names every file of its folder, and not only a part of the name', () => {
  const readme = '`a.ts`, `b.ts`, `c.ts`, `d.ts`, `big-ring-step.ts`, `ring-step.ts.old`';
  const files = { ...empty, 'engine/README.md': '', 'engine/memory/README.md': readme };
  expect(findings(hasReadme, files)).toEqual([
    'engine/memory/README.md:1 does not name ring-step.ts',
  ]);
  const whole = { ...files, 'engine/memory/README.md': `${readme} \`ring-step.ts\`` };
  expect(findings(hasReadme, whole)).toEqual([]);
});

test('a page names files that exist, below itself or from the root', () => {
  const all = { ...empty, 'test/engine/memory/a.test.ts': '' };
  const page =
    'see `a.ts`, `a.test.ts`,\n`memory/b.ts`, `engine/memory/c.ts`, `gone.ts`\n`memory/gone.ts`';
  expect(findings(namesFilesThatExist, { ...all, 'engine/README.md': page })).toEqual([
    'engine/README.md:2 there is no gone.ts',
    'engine/README.md:3 there is no memory/gone.ts',
  ]);
  const above = { ...empty, 'base/README.md': '`a.ts`', 'CHANGELOG.md': '`gone.ts`' };
  expect(findings(namesFilesThatExist, above)).toEqual(['base/README.md:1 there is no a.ts']);
});

test('links lead to files, folders and headings', () => {
  const target = '# One\n\n## The second part, `code` and all\n';
  const page = (link: string) => ({ 'docs/a.md': `# A\n[x](${link})\n`, 'docs/deep/b.md': target });
  const good = ['deep/b.md', 'deep', 'deep/', '../docs/deep/b.md', '#a', 'https://example.org/x'];
  for (const link of [...good, 'deep/b.md#the-second-part-code-and-all']) {
    expect(findings(linksResolve, page(link))).toEqual([]);
  }
  expect(findings(linksResolve, page('b.md'))).toEqual(['docs/a.md:2 the link b.md leads nowhere']);
  expect(findings(linksResolve, page('deep/b.md#gone'))).toEqual([
    'docs/a.md:2 docs/deep/b.md has no heading #gone',
  ]);
  expect(findings(linksResolve, { 'a.md': '```\n[x](gone.md)\n```\n`[y](gone.md)`' })).toEqual([]);
});

test('a page has one title, and a comment in a code block is none', () => {
  expect(findings(hasOneTitle, { 'a.md': '# A\n\n```sh\n# not a title\n```\n' })).toEqual([]);
  expect(findings(hasOneTitle, { 'a.md': '# A\n\n# B\n', 'b.md': 'text' })).toEqual([
    'a.md:1 2 titles, a page has one',
    'b.md:1 0 titles, a page has one',
  ]);
});

test('a file or folder has one entry in a list', () => {
  const list = '# A\n\n- `job/`: one thing\n- `task/`: another, not `job/`:\n';
  expect(findings(namesNothingTwice, { 'a.md': list })).toEqual([]);
  expect(findings(namesNothingTwice, { 'a.md': `${list}- \`job/\`: one thing more\n` })).toEqual([
    'a.md:5 `job/` has an entry above',
  ]);
});
