/** Rules on pages: folders explain themselves, links lead somewhere, a page has one title. */
import {
  folderOf,
  isIn,
  isSource,
  lineAt,
  nameOf,
  type Problem,
  type Rule,
  type TextFile,
} from './tree.ts';

/** With so many files a folder needs a reading order. */
const readmeFromFiles = 5;

/** Mirrors of folders that have a README themselves. */
const readByTheirSource = /^test\/(?!support$).+/;

/** Pages about what was: the files they name may be gone. */
const historical = ['CHANGELOG', 'docs/design'];

const isPage = ({ path }: TextFile) => path.endsWith('.md');

/** Code blocks and spans out, lines kept. */
function proseOf(text: string): string {
  return text
    .replace(/^( *)(```|~~~)[\s\S]*?^\1\2/gm, (block) => block.replace(/[^\n]/g, ''))
    .replace(/`[^`\n]*`/g, (span) => ' '.repeat(span.length));
}

export const hasReadme: Rule = (files) => {
  const pages = new Map(files.filter(isPage).map(({ path, text }) => [path, text]));
  return [...sourcesByFolder(files)].flatMap(([folder, sources]) => {
    const path = `${folder}/README.md`;
    const readme = pages.get(path);
    const isTopLevel = !folder.includes('/');
    if (readme === undefined) {
      const isNeeded = isTopLevel || sources.length >= readmeFromFiles;
      const message = 'missing: what the folder is, and its files in reading order';
      return isNeeded ? [{ path, line: 1, message }] : [];
    }
    return sources
      .filter((source) => !namesFile(readme, nameOf(source)))
      .map((source) => ({ path, line: 1, message: `does not name ${nameOf(source)}` }));
  });
};

function namesFile(readme: string, name: string): boolean {
  const exact = new RegExp(`(?<![\\w.-])${name.replaceAll('.', '\\.')}(?![\\w-]|\\.\\w)`);
  return exact.test(readme);
}

/** Every top-level folder is there, even when its sources lie deeper. */
function sourcesByFolder(files: readonly TextFile[]): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const { path } of files) {
    const folder = folderOf(path);
    if (!isSource(path) || folder === '' || folder.startsWith('.')) continue;
    if (readByTheirSource.test(folder)) continue;
    const top = folder.split('/')[0] ?? folder;
    if (!folders.has(top)) folders.set(top, []);
    folders.set(folder, [...(folders.get(folder) ?? []), path]);
  }
  return folders;
}

/** A file that a page names between backticks is there: below its folder, its mirror, or the root. */
export const namesFilesThatExist: Rule = (files) => {
  const paths = files.map(({ path }) => path);
  return files
    .filter((file) => isPage(file) && !isIn(file.path, historical))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/`([\w./-]+\/)?([\w-]+(?:\.[\w-]+)*\.(?:ts|mjs|cjs))`/g)]
        .map((match) => ({ name: `${match[1] ?? ''}${match[2]}`, index: match.index }))
        .filter(({ name }) => !paths.some((known) => isNamedBy(known, name, folderOf(path))))
        .map(({ name, index }) => ({
          path,
          line: lineAt(text, index),
          message: `there is no ${name}`,
        })),
    );
};

function isNamedBy(known: string, name: string, folder: string): boolean {
  const places = folder === '' ? [''] : [`${folder}/`, `test/${folder}/`];
  const isBelow = places.some(
    (place) => known.startsWith(place) && `/${known.slice(place.length)}`.endsWith(`/${name}`),
  );
  return known === name || isBelow;
}

export const linksResolve: Rule = (files) => {
  const pages = new Map(files.map((file) => [file.path, file]));
  const folders = new Set(files.flatMap(({ path }) => ancestorsOf(path)));
  return files.filter(isPage).flatMap(({ path, text }) =>
    [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match): Problem[] => {
      const link = match[1] ?? '';
      if (/^[a-z]+:/.test(link)) return [];
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : resolveFrom(folderOf(path), file);
      const line = lineAt(text, match.index);
      const page = pages.get(target);
      if (page === undefined) {
        return folders.has(target)
          ? []
          : [{ path, line, message: `the link ${link} leads nowhere` }];
      }
      const isFound = anchor === undefined || !isPage(page) || anchorsOf(page.text).has(anchor);
      return isFound ? [] : [{ path, line, message: `${target} has no heading #${anchor}` }];
    }),
  );
};

function ancestorsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function resolveFrom(folder: string, link: string): string {
  return new URL(link, `file:///${folder}/`).pathname.replace(/^\/+|\/$/g, '');
}

/** The anchors that GitHub gives to headings. */
function anchorsOf(text: string): Set<string> {
  const headings = text.matchAll(/^#{1,6} +(.+?) *$/gm);
  return new Set(
    [...headings].map((match) =>
      (match[1] ?? '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

export const hasOneTitle: Rule = (files) =>
  files
    .filter(isPage)
    .map(({ path, text }) => ({ path, titles: proseOf(text).match(/^# /gm)?.length ?? 0 }))
    .filter(({ titles }) => titles !== 1)
    .map(({ path, titles }) => ({ path, line: 1, message: `${titles} titles, a page has one` }));

/** Two entries for one file or folder: what two changes leave where a page is merged line by line. */
export const namesNothingTwice: Rule = (files) =>
  files.filter(isPage).flatMap(({ path, text }) => {
    const seen = new Set<string>();
    return [...text.matchAll(/^- (`[^`\n]+`):/gm)].flatMap((match): Problem[] => {
      const entry = match[1] ?? '';
      if (!seen.has(entry)) {
        seen.add(entry);
        return [];
      }
      return [{ path, line: lineAt(text, match.index), message: `${entry} has an entry above` }];
    });
  });
