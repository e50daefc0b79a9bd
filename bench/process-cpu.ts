/** What a process has cost so far, by /proc. */
import { readFileSync } from 'node:fs';

/** Of the kernel's clock, by which /proc counts. */
const tickSeconds = 0.01;

/** User and system time of all threads of a process, and of children that it has waited for; 0 when it is gone. */
export function cpuSecondsOf(id: number): number {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
    // Behind the name, which may have spaces: utime is field 14.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * tickSeconds;
  } catch {
    return 0;
  }
}
