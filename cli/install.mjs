/**
 * Makes `node_modules` what `package-lock.json` says, or tells what keeps it from being so.
 *
 * npm writes `node_modules/.package-lock.json` last, and `npm ci` removes it first; so a folder with
 * that file is a finished install, and comparing the two files costs milliseconds. No stamp of our
 * own: it could not know of an `npm ci` typed by hand.
 *
 * Nothing newer than Node 16 is imported by name, or an old Node would end before it is told why.
 */
import { spawn } from 'node:child_process';
import fs, { existsSync, readFileSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { adviseOnNode24, findNode24, nodePackageFor } from './node-24.mjs';
import { isNodeWanted } from './node-wanted.mjs';

const nodeMajorMin = 20;
/** What an install takes on disk: 500 MiB, and as much again while npm unpacks. */
const installSizeBytes = 1_000 * 1024 * 1024;
const reportIntervalMs = 5_000;
const redrawIntervalMs = 250;
/** npm's own words on a failure: the cause comes first, advice on its flags last. */
const errorLinesMax = 12;

/** Resolves to null when all is in place, else to a text that says what is missing and what to do. */
export async function ensureInstalled(root) {
  const lack = lackOf(root);
  if (lack !== null) return lack;
  const lock = readLock(join(root, 'package-lock.json'));
  if (lock === null)
    return 'package-lock.json is missing or not JSON. Take it from the repository.';
  if (mismatchOf(lock, root) !== null || findNode24(root) === null) {
    const failure = await install(root, lock);
    if (failure !== null) return failure;
  }
  return findNode24(root) === null ? adviseOnNode24() : null;
}

/** What no install can mend, said before one is tried. */
function lackOf(root) {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < nodeMajorMin) {
    return (
      `This needs Node ${nodeMajorMin} or later to set itself up; this is ${process.version}.\n` +
      'Install one from https://nodejs.org/en/download and try again.'
    );
  }
  if (!isNodeWanted && nodePackageFor() === null) return adviseOnNode24();
  if (!existsSync(join(root, 'package.json'))) return `No package.json in ${root}.`;
  return null;
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? null;
  } catch {
    return null; // Missing or torn: the caller says so, or installs.
  }
}

/** The first package that is not installed as the lock file says; null when all are. */
export function mismatchOf(lock, root) {
  const installed = readLock(join(root, 'node_modules', '.package-lock.json'));
  if (installed === null) return 'node_modules';
  for (const [path, wanted] of Object.entries(lock)) {
    if (path === '') continue;
    const found = installed[path];
    if (found === undefined && wanted.optional === true) continue; // For another machine.
    if (found?.version !== wanted.version || found?.integrity !== wanted.integrity) return path;
    if (!existsSync(join(root, path))) return path;
  }
  return null;
}

async function install(root, lock) {
  const obstacle = obstacleOf(root);
  if (obstacle !== null) return obstacle;
  const paths = Object.keys(lock).filter((path) => path !== '' && lock[path].optional !== true);
  process.stdout.write(`Installing ${paths.length} packages into node_modules (npm ci), once …\n`);
  const startedMs = Date.now();
  const stopReport = reportProgress(root, paths, startedMs);
  const { code, errors } = await runNpmCi(root);
  stopReport();
  if (code !== 0) {
    const words = errors.trim().split('\n').slice(0, errorLinesMax).join('\n');
    return (
      `${words}\n"npm ci" failed (exit ${code}). It needs the npm registry: look at the network and ` +
      'the proxy settings ("npm config list"), then try again.'
    );
  }
  process.stdout.write(`Installed in ${secondsSince(startedMs)} s.\n\n`);
  return null;
}

function obstacleOf(root) {
  try {
    fs.accessSync(root, fs.constants.W_OK);
  } catch {
    return `No right to write to ${root}, where node_modules must go.`;
  }
  const { bavail, bsize } = fs.statfsSync(root);
  if (bavail * bsize >= installSizeBytes) return null;
  const freeMb = Math.floor((bavail * bsize) / 1024 / 1024);
  return `Only ${freeMb} MB are free on the disk of ${root}; the packages need about 1,000 MB.`;
}

function runNpmCi(root) {
  // Whatever the user's settings: all packages are needed, and no word about audits or funding.
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  args.push('--no-update-notifier', '--loglevel=error');
  const { command, first, env, shell } = findNpm(root);
  return new Promise((resolve) => {
    const child = spawn(command, [...first, ...args], {
      cwd: root,
      env,
      shell,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    child.once('error', (error) => {
      resolve({ code: error.code, errors: `npm does not start: ${error.message}` });
    });
    child.once('close', (code, signal) => resolve({ code: code ?? signal, errors }));
  });
}

/**
 * npm, and a Node to run it that does not live in `node_modules`: below `npm run` the first `node`
 * on the path is the one of our own package, which `npm ci` is about to remove.
 */
function findNpm(root) {
  const inside = join(root, 'node_modules') + sep;
  const path = (process.env.PATH ?? '').split(delimiter);
  const env = {
    ...process.env,
    PATH: path.filter((p) => !`${p}${sep}`.startsWith(inside)).join(delimiter),
  };
  const script = process.env.npm_execpath ?? '';
  if (!script.endsWith('npm-cli.js') || script.startsWith(inside)) {
    return { command: 'npm', first: [], env, shell: process.platform === 'win32' };
  }
  const isOurs = process.execPath.startsWith(inside);
  return { command: isOurs ? 'node' : process.execPath, first: [script], env, shell: false };
}

/** A line that counts up: redrawn on a terminal, one every few seconds elsewhere. */
function reportProgress(root, paths, startedMs) {
  const isTerminal = process.stdout.isTTY === true;
  const draw = () => {
    const unpacked = countUnpacked(root, paths);
    const line = `  ${unpacked} of ${paths.length} packages, ${secondsSince(startedMs)} s`;
    process.stdout.write(isTerminal ? `\r${line}` : `${line}\n`);
  };
  const timer = setInterval(draw, isTerminal ? redrawIntervalMs : reportIntervalMs);
  return () => {
    clearInterval(timer);
    if (isTerminal) process.stdout.write('\r\u001b[K');
  };
}

/** npm makes all folders first and fills them then: only a folder with its manifest counts. */
function countUnpacked(root, paths) {
  return paths.filter((path) => existsSync(join(root, path, 'package.json'))).length;
}

function secondsSince(startedMs) {
  return Math.round((Date.now() - startedMs) / 1_000);
}
