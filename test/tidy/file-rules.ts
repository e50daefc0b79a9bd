/** Rules on a file as a whole: its header, its length, its name, its mirror, what it must not say. */
import { folderOf, isIn, isSource, lineAt, nameOf, type Rule } from './tree.ts';

const linesMax = 500;
const testLinesMax = 700;
const headerCharactersMin = 20;
const bannedNames = ['utils', 'util', 'common', 'helpers', 'helper', 'misc', 'types'];
const barrels = ['engine/api/index.ts', 'simulation/index.ts'];

/** Folders of test/ that mirror nothing: what they hold is not about one source file. */
const unmirrored = [
  ...['support', 'plans', 'hazards', 'simulation', 'contract', 'e2e', 'fixtures', 'long', 'tidy'],
  ...['tidy.test', 'layers.test', 'errors-page.test'],
  // About a folder as a whole.
  ...['engine/api/examples.test', 'engine/operators/harness-coverage.test'],
  'engine/operators/map-reduce-operators.test',
].map((name) => `test/${name}`);

export const hasHeader: Rule = (files) =>
  files
    .filter(({ path }) => isSource(path))
    .filter(({ text }) => {
      const header = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? '';
      return header.replace(/[\s*]+/g, ' ').trim().length < headerCharactersMin;
    })
    .map(({ path }) => ({
      path,
      line: 1,
      message: 'begin with /** what the file is, and why so */',
    }));

export const isShort: Rule = (files) =>
  files
    .filter(({ path }) => isSource(path))
    .map(({ path, text }) => ({ path, line: text.trimEnd().split('\n').length }))
    .filter(({ path, line }) => line > limitOf(path))
    .map(({ path, line }) => ({
      path,
      line,
      message: `${line} lines, at most ${limitOf(path)}: find the seam and split`,
    }));

function limitOf(path: string): number {
  return path.startsWith('test/') ? testLinesMax : linesMax;
}

export const isWellNamed: Rule = (files) =>
  files
    .filter(({ path }) => isSource(path))
    .flatMap(({ path }) => {
      const parts = path.split('/').map((part) => part.replace(/\..*$/, ''));
      const banned = parts.find((part) => bannedNames.includes(part));
      if (banned !== undefined) {
        return [
          { path, line: 1, message: `"${banned}" says nothing: name it by what it is about` },
        ];
      }
      const isBarrel = parts.at(-1) === 'index' && !barrels.includes(path);
      return isBarrel ? [{ path, line: 1, message: 'no barrels: import the file itself' }] : [];
    });

/** `ring-threads.test.ts` is about `ring.ts` too: what follows the name says which side of it. */
export const mirrorsASource: Rule = (files) => {
  const subjects = new Set<string>();
  for (const { path } of files) {
    if (!isSource(path)) continue;
    subjects.add(path.replace(/(\.as)?\.\w+$/, ''));
    subjects.add(folderOf(path));
  }
  return files
    .filter(({ path }) => path.startsWith('test/') && path.endsWith('.test.ts'))
    .filter(({ path }) => !isIn(path, unmirrored))
    .map(({ path }) => ({ path, subject: subjectOf(path) }))
    .filter(({ subject }) => !subjects.has(subject) && !hasPrefixIn(subjects, subject))
    .map(({ path, subject }) => ({
      path,
      line: 1,
      message: `mirrors nothing: there is no ${subject}.ts; or it belongs into ${unmirrored[0]}…`,
    }));
};

function hasPrefixIn(subjects: ReadonlySet<string>, subject: string): boolean {
  const words = nameOf(subject).split('-');
  const prefixes = words.map((_, index) => words.slice(0, index).join('-')).filter(Boolean);
  return prefixes.some((prefix) => subjects.has(`${folderOf(subject)}/${prefix}`));
}

function subjectOf(path: string): string {
  const name = nameOf(path).replace(/\..*$/, '');
  return `${folderOf(path).slice('test/'.length)}/${name}`.replace(/^\//, '');
}

/** A path of the machine that a file was written on means nothing on another. */
export const namesNoMachinePath: Rule = (files) =>
  files.flatMap(({ path, text }) =>
    [...text.matchAll(/(?<![\w.)}\]*-])\/(?:work|root)\//g)].map((match) => ({
      path,
      line: lineAt(text, match.index),
      message: `"${match[0]}" is a path of one machine`,
    })),
  );
