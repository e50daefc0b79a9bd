/** Goal: the list of error codes, its page and what the sources raise are the same set. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { errorKinds } from '../base/error-codes.ts';
import { raisedCodes, sectionsOf } from './tidy/error-page.ts';
import { readTree } from './tidy/tree.ts';

const root = resolve(import.meta.dirname, '..');
const sections = sectionsOf(readFileSync(join(root, 'docs/errors.md'), 'utf8'));
const codes = Object.keys(errorKinds);

test('the page has one section per code, in the order of the list', () => {
  expect(sections.map(({ code }) => code)).toEqual(codes);
});

test('the list is alphabetical', () => {
  expect(codes).toEqual([...codes].sort());
});

test('each section says the kind that the code has, when it is raised and what to do', () => {
  const kinds = Object.fromEntries(sections.map(({ code, kind }) => [code, kind]));
  expect(kinds).toEqual(errorKinds);
  expect(sections.filter(({ sentences }) => sentences < 2).map(({ code }) => code)).toEqual([]);
});

test('each code is raised somewhere, and none that is not listed', () => {
  expect([...raisedCodes(readTree(root), codes)].sort()).toEqual([...codes].sort());
});
