/**
 * The entry of a slot thread: gives the slot program the real clock, disk, doorbell and port.
 *
 * Before: worker/threads/piscina-slot-runner.ts. After: worker/threads/slot-program.ts.
 */
import { setFlagsFromString } from 'node:v8';
import type { MessagePort } from 'node:worker_threads';
import { createDoorbell } from '../../base/env/doorbell.ts';
import { registerMillraceResolver } from '../../base/env/millrace-resolver.ts';
import { createRealClock } from '../../base/env/real-clock.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { createRealTimers } from '../../base/env/real-timers.ts';
import { connectors } from '../../connectors/registry.ts';
import type { SlotStart, ToSlot } from './slot-messages.ts';
import { SlotProgram } from './slot-program.ts';

/**
 * V8 makes a row view free where it inlines all getters of a user's function into the driver's loop. It inlines
 * functions of 27 bytes of bytecode always, what those have inlined counted with them, and a getter that became
 * hot before the loop did has 70. A map over five fields took 36 ns a row with three of its getters inlined, and
 * 12 ns with all. The flag is a bound that is read whenever a function is compiled.
 */
setFlagsFromString('--max-inlined-bytecode-size-small=120');

// biome-ignore lint/style/noDefaultExport: Piscina calls the default export of its file.
export default async function runSlot(start: SlotStart & { port: MessagePort }): Promise<void> {
  registerMillraceResolver();
  const doorbells = new Int32Array(start.doorbells);
  const program = new SlotProgram({
    ...start,
    clock: createRealClock(),
    disk: createRealSyncDisk(),
    bellOf: (index) => createDoorbell(doorbells, index),
    connectors,
    importModule: (file) => import(file),
    timers: createRealTimers(),
    yieldToEvents: () => new Promise((resolve) => setImmediate(resolve)),
    post: (message) => start.port.postMessage(message),
  });
  start.port.on('message', (message: ToSlot) => program.receive(message));
  await program.run();
}
