/**
 * Runs a TypeScript entry on Node 24, from whatever Node this script was started with.
 *
 *     node 24   millrace.mjs ──▶ main.ts                      one process, nothing in between
 *     node 20   millrace.mjs ──▶ node 24 millrace.mjs ──▶ main.ts
 *                    └── waits: passes signals on, ends as the child ends (node-24.mjs)
 *
 * Every start of the command pays for what this file imports, so the way over another Node is loaded
 * only when it is taken.
 *
 * Before: cli/millrace.mjs · After: cli/main.ts
 */
import module from 'node:module';
import { isNodeWanted, parentMark } from './node-wanted.mjs';

/**
 * Calls `main(args)` of the module that `entry` names and ends the process with the number it returns.
 *
 * @param {() => URL} entry - Answers with a file that exports `main(args: string[]): Promise<number>`.
 * @param {string[]} args - What the user typed after the command.
 */
export async function launch(entry, args) {
  if (!isNodeWanted) {
    const { runOnNode24 } = await import('./node-24.mjs');
    return runOnNode24(process.argv.slice(1));
  }
  if (process.env[parentMark] !== undefined) {
    const { followParent } = await import('./follow-parent.mjs');
    followParent();
  }
  keepCompiledCode();
  const { main } = await import(entry().href);
  // Not process.exit: what is still in a pipe to the reader would be lost.
  process.exitCode = await main(args);
}

/**
 * Node keeps stripped and compiled code in its cache folder (that of the system, by user and version).
 * The call serves this thread only; slot threads read the variable when they start, and they load
 * more than this one: a tiny job takes 0.4 s and half the processor time with it, 0.7 s without.
 */
function keepCompiledCode() {
  const { directory } = module.enableCompileCache();
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
}
