/**
 * Goal: the whole tree keeps the house rules that no other tool checks. Each rule is shown to fail in
 * test/tidy/; here all of them run on the real files.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyRatchet, checkRatchet, type Ratchet } from './tidy/ratchet.ts';
import { rules } from './tidy/rules.ts';
import { type Problem, readTree } from './tidy/tree.ts';

const root = resolve(import.meta.dirname, '..');
const ratchetPath = 'test/tidy-ratchet.json';
const ratchet: Ratchet = JSON.parse(readFileSync(join(root, ratchetPath), 'utf8'));
const files = readTree(root);

function textOf(problems: readonly Problem[]): string[] {
  return problems.map(({ path, line, message }) => `${path}:${line} ${message}`);
}

test('the tree was read', () => {
  expect(files.map(({ path }) => path)).toContain('test/tidy.test.ts');
  expect(files.length).toBeGreaterThan(100);
});

describe('every file', () => {
  test.each(Object.entries(rules))('%s', (name, rule) => {
    expect(textOf(applyRatchet(ratchet, name, rule(files)))).toEqual([]);
  });
});

test('the ratchet only shrinks', () => {
  const names = Object.keys(rules);
  for (const before of ratchetsBefore()) {
    expect(textOf(checkRatchet(before, ratchet, names))).toEqual([]);
  }
});

/** The list as it was committed last, and before that; itself where there is no history. */
function ratchetsBefore(): Ratchet[] {
  const found = ['HEAD', 'HEAD^'].flatMap((revision): Ratchet[] => {
    try {
      const args = ['show', `${revision}:${ratchetPath}`];
      const text = execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
      return [JSON.parse(text)];
    } catch {
      return []; // No git, a shallow clone, or the list is not in that commit.
    }
  });
  return found.length > 0 ? found : [ratchet];
}
