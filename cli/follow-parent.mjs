/**
 * The child's side of a launch: one interrupt stays one interrupt, and the child never outlives the
 * parent.
 *
 * - A Ctrl-C reaches both processes from the terminal, and the parent passes its own on. The second
 *   of two equal signals within half a second is therefore dropped; a person who presses twice to
 *   force an end is slower, and a script that kills twice gets what it wants with the next one.
 * - The channel to the parent closes when the parent dies, by whatever means. That counts as an
 *   interrupt, so that the job ends cleanly; if it has not ended in ten seconds, it is ended.
 */
import { parentMark } from './node-wanted.mjs';

const repeatWithinMs = 500;
const endWithinMs = 10_000;
const interruptedExitCode = 130;

export function followParent() {
  // A process that this one starts has another parent.
  delete process.env[parentMark];
  dropRepeatedSignals();
  if (process.channel === undefined) return;
  process.once('disconnect', interrupt);
  // After the listener, which would keep the channel, and so the process, alive.
  process.channel.unref();
}

/** Node binds `process.emit` when the first listener of a signal is added: later than this. */
function dropRepeatedSignals() {
  const emit = process.emit;
  const seenAtMs = { SIGINT: -Infinity, SIGTERM: -Infinity };
  process.emit = function emitOnce(name, ...rest) {
    if (name === 'SIGINT' || name === 'SIGTERM') {
      const nowMs = performance.now();
      if (nowMs - seenAtMs[name] < repeatWithinMs) return true;
      seenAtMs[name] = nowMs;
    }
    return emit.call(this, name, ...rest);
  };
}

function interrupt() {
  // Nobody listens: no job runs yet, or none any more.
  if (process.listenerCount('SIGINT') === 0) process.exit(interruptedExitCode);
  process.emit('SIGINT', 'SIGINT');
  setTimeout(() => process.exit(interruptedExitCode), endWithinMs).unref();
}
