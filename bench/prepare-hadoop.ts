/** Hadoop for the bench: Maven fetches its packages, and the job is compiled, once for each version of the two. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, peersFolder } from './bench-cache.ts';
import { runTool, type Say } from './prepare.ts';

/** `jars/` and `classes/`, and the sources that they are of. */
export const hadoopFolder = join(cacheFolder, 'hadoop');

const sources = ['pom.xml', 'SortRecords.java'];

export function prepareHadoop(say: Say): void {
  const from = join(peersFolder, 'hadoop');
  const isSame = (name: string) => {
    const made = join(hadoopFolder, name);
    return (
      existsSync(made) && readFileSync(made, 'utf8') === readFileSync(join(from, name), 'utf8')
    );
  };
  if (sources.every(isSame)) return;
  say('Fetching Hadoop with Maven and compiling its job (once) …');
  rmSync(hadoopFolder, { recursive: true, force: true });
  const [jars, classes] = [join(hadoopFolder, 'jars'), join(hadoopFolder, 'classes')];
  mkdirSync(classes, { recursive: true });
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime'];
  runTool(
    'mvn',
    ['-q', '-B', '-f', join(from, 'pom.xml'), ...goal, `-DoutputDirectory=${jars}`],
    'Install Maven and Java 17; Maven needs a repository that it can reach.',
  );
  runTool(
    'javac',
    ['-nowarn', '-cp', join(jars, '*'), '-d', classes, join(from, 'SortRecords.java')],
    'Install a Java 17 development kit.',
  );
  // Last, so that a folder that is not whole is made anew.
  for (const name of sources) cpSync(join(from, name), join(hadoopFolder, name));
}
