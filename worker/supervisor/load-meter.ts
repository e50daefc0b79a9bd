/** How busy the processors of this host were since it was asked last, 0 to 1. */
import type { HostProcess, ProcessorTimes } from '../../base/env/host-process.ts';

export class LoadMeter {
  readonly #process: Pick<HostProcess, 'processorTimes'>;
  #before: ProcessorTimes;
  #load = 0;

  constructor(process: Pick<HostProcess, 'processorTimes'>) {
    this.#process = process;
    this.#before = process.processorTimes();
  }

  measure(): number {
    const now = this.#process.processorTimes();
    const busyMs = now.busyMs - this.#before.busyMs;
    const allMs = busyMs + now.idleMs - this.#before.idleMs;
    this.#before = now;
    // Counted in ticks of 10 ms: nothing has been counted when it is asked twice at once.
    if (allMs > 0) this.#load = Math.min(1, Math.max(0, busyMs / allMs));
    return this.#load;
  }
}
