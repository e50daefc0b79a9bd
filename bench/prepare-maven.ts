/**
 * Java peers of the bench: a folder below `peers/` with a `pom.xml` that says what Maven fetches, and sources that are
 * compiled against it, once for each version of them.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, peersFolder } from './bench-cache.ts';
import { runTool, type Say } from './prepare.ts';

/** The class path of a peer's folder, once it is prepared. */
export function mavenClassPath(name: string): string {
  const folder = join(cacheFolder, name);
  return [join(folder, 'classes'), join(folder, 'jars', '*')].join(':');
}

/** Makes `jars/` and `classes/` in the cache, and keeps the sources that they are of beside them. */
export function prepareMaven(name: string, say: Say): void {
  const [from, folder] = [join(peersFolder, name), join(cacheFolder, name)];
  const files = readdirSync(from);
  const isSame = (file: string) => {
    const made = join(folder, file);
    return (
      existsSync(made) && readFileSync(made, 'utf8') === readFileSync(join(from, file), 'utf8')
    );
  };
  if (files.every(isSame)) return;
  say(`Fetching ${name} with Maven and compiling its job (once) …`);
  rmSync(folder, { recursive: true, force: true });
  const [jars, classes] = [join(folder, 'jars'), join(folder, 'classes')];
  mkdirSync(classes, { recursive: true });
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime'];
  runTool(
    'mvn',
    ['-q', '-B', '-f', join(from, 'pom.xml'), ...goal, `-DoutputDirectory=${jars}`],
    'Install Maven and Java 17; Maven needs a repository that it can reach.',
  );
  const sources = files.filter((file) => file.endsWith('.java')).map((file) => join(from, file));
  runTool(
    'javac',
    ['-nowarn', '-cp', join(jars, '*'), '-d', classes, ...sources],
    'Install a Java 17 development kit.',
  );
  // Last, so that a folder that is not whole is made anew.
  for (const file of files) cpSync(join(from, file), join(folder, file));
}
