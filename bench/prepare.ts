/**
 * Makes what the bench needs, once: English text from Debian packages (downloaded and unpacked, not
 * installed), and a Python environment with the peers. Every file is made under a temporary name and
 * renamed when it is whole, so an interrupted run leaves nothing that looks ready.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import {
  cacheFolder,
  packagesFolder,
  peersFolder,
  pythonFolder,
  pythonPath,
  type TextSize,
  textPath,
  textSizes,
  unpackedFolder,
} from './bench-cache.ts';

/** Debian packages whose texts are used: dictionaries, the Jargon file, the Debian reference. */
const textPackages = ['dict-gcide', 'dict-wn', 'dict-foldoc', 'dict-jargon', 'debian-reference-en'];

/** Something that the machine lacks; the message says what to do about it. */
export class MissingTool extends Error {}

export type Say = (line: string) => void;

/** Makes the text of the given size if it is not there. */
export function prepareText(size: TextSize, say: Say): void {
  if (existsSync(textPath(size))) return;
  mkdirSync(cacheFolder, { recursive: true });
  if (!existsSync(textPath('1GB'))) makeFullText(say);
  if (size !== '1GB') copyBeginning(size, say);
}

/**
 * Makes the Python environment with the pinned peers, as far as it is not there.
 *
 * @param more - Files of packages beside those that all benches need.
 */
export function preparePeers(more: readonly string[], say: Say): void {
  mkdirSync(cacheFolder, { recursive: true });
  if (!existsSync(pythonPath)) makePython(say);
  for (const name of ['requirements.txt', ...more]) {
    const text = readFileSync(join(peersFolder, name), 'utf8');
    const installed = join(pythonFolder, name);
    if (existsSync(installed) && readFileSync(installed, 'utf8') === text) continue;
    say(`Installing the peers of ${name} in a Python environment of their own (once) …`);
    runTool(
      pythonPath,
      [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '-r',
        join(peersFolder, name),
      ],
      'The peers are installed by pip, which needs a package index it can reach.',
    );
    writeFileSync(installed, text);
  }
}

function makePython(say: Say): void {
  say('Making a Python environment (once) …');
  try {
    runTool('python3', ['-m', 'venv', pythonFolder], 'Install Python 3.10 or newer with venv.');
  } catch (error) {
    rmSync(pythonFolder, { recursive: true, force: true });
    throw error;
  }
}

function makeFullText(say: Say): void {
  say('Making 1 GB of English text from Debian packages (once, about a minute) …');
  downloadPackages();
  const unfinished = `${textPath('1GB')}.making`;
  runTool(
    'python3',
    [
      join(peersFolder, 'make_text.py'),
      unpackedFolder,
      unfinished,
      String(textSizes['1GB'].sizeBytes),
    ],
    'Install Python 3.10 or newer.',
  );
  renameSync(unfinished, textPath('1GB'));
}

function downloadPackages(): void {
  const hint =
    'The text is made from Debian packages, so it needs apt-get and dpkg (Debian, Ubuntu). ' +
    'On another system make it there and copy .cache/bench/text-1gb.txt over.';
  mkdirSync(packagesFolder, { recursive: true });
  const isThere = (name: string) =>
    readdirSync(packagesFolder).some((file) => file.startsWith(`${name}_`));
  const missing = textPackages.filter((name) => !isThere(name));
  if (missing.length > 0) runTool('apt-get', ['download', '-qq', ...missing], hint, packagesFolder);
  for (const file of readdirSync(packagesFolder)) {
    const target = join(unpackedFolder, file.slice(0, file.indexOf('_')));
    mkdirSync(target, { recursive: true });
    runTool('dpkg', ['-x', join(packagesFolder, file), target], hint);
  }
}

/** Copies the first bytes of the full text, up to the last line end within the size. */
function copyBeginning(size: TextSize, say: Say): void {
  say(`Cutting ${basename(textPath(size))} from the full text …`);
  const from = openSync(textPath('1GB'), 'r');
  const unfinished = `${textPath(size)}.making`;
  const to = openSync(unfinished, 'w');
  const buffer = Buffer.allocUnsafe(1 << 24);
  const { sizeBytes } = textSizes[size];
  for (let position = 0; position < sizeBytes; ) {
    const length = readSync(from, buffer, 0, Math.min(buffer.length, sizeBytes - position), null);
    position += length;
    const isLast = position >= sizeBytes || length === 0;
    const end = isLast ? buffer.subarray(0, length).lastIndexOf(0x0a) + 1 : length;
    writeSync(to, buffer, 0, end);
    if (isLast) break;
  }
  closeSync(from);
  closeSync(to);
  renameSync(unfinished, textPath(size));
}

/** Runs a program to its end; throws MissingTool with the hint when it does not start or fails. */
export function runTool(command: string, args: string[], hint: string, cwd = cacheFolder): void {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (result.error !== undefined) throw new MissingTool(`${command} does not start. ${hint}`);
  if (result.status !== 0) {
    const output = result.stderr.trim().split('\n').slice(-5).join('\n');
    throw new MissingTool(`${command} ${args[0]} failed:\n${output}\n${hint}`);
  }
}
