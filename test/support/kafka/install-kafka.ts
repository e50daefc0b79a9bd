/**
 * Apache Kafka for tests: the jars of a real broker, fetched once through Maven into `.cache/test`, and an
 * archive of its classes, with which it starts in 2 s in place of 4.
 *
 * Needs Java 17 or newer and Maven on the PATH, and a repository that Maven can reach. Where one of them is
 * missing the tests fail and say so: a broker that is left out is a promise that nobody looks at.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../cli-process.ts';

const pom = join(import.meta.dirname, 'pom.xml');
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
/** Maven fetches 43 MB; a mirror may be slow. */
const installTimeoutMs = 600_000;

export interface KafkaInstall {
  /** What `java -cp` takes. */
  readonly classPath: string;
  /** Made by the first broker that ends in peace. */
  readonly classArchive: string;
}

/** The installed broker; fetches it when it is not there. */
export function installKafka(): KafkaInstall {
  const version = /kafka_2\.13<\/artifactId>\s*<version>([\d.]+)</.exec(readFileSync(pom, 'utf8'));
  const folder = join(projectFolder, '.cache/test', `kafka-${version?.[1]}`);
  checkTool('java', ['-version'], 'a Java runtime, 17 or newer');
  if (!existsSync(folder)) fetchJars(folder);
  return { classPath: join(folder, '*'), classArchive: `${folder}.jsa` };
}

function fetchJars(folder: string): void {
  checkTool('mvn', ['-version'], 'Maven');
  process.stdout.write(`installing Apache Kafka with Maven into ${folder} (43 MB, once)\n`);
  const fresh = `${folder}.${process.pid}.new`;
  mkdirSync(fresh, { recursive: true });
  try {
    const args = ['-B', '-q', '-f', pom, copyDependencies];
    const result = spawnSync(
      'mvn',
      [...args, '-DincludeScope=runtime', `-DoutputDirectory=${fresh}`],
      { encoding: 'utf8', timeout: installTimeoutMs },
    );
    if (result.status !== 0) {
      throw new Error(`mvn could not fetch Apache Kafka:\n${result.stdout}${result.stderr}`);
    }
    if (!existsSync(folder)) renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function checkTool(command: string, args: readonly string[], what: string): void {
  const { error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error === undefined) return;
  throw new Error(
    `the tests of Kafka need ${what}: "${command}" does not start (${error.message}). ` +
      'Install it, for example with "apt-get install -y default-jre-headless maven".',
  );
}
