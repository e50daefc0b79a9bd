/** Stand-ins for the processes of `millrace up`: started, made ready and ended by hand; what they were told is noted. */
import type { Child, ChildEnd, ChildRequest, StartChild } from '../../cli/up/child-process.ts';

export interface FakeChild {
  readonly pid: number;
  /** `coordinator`, or the worker's name. */
  readonly name: string;
  readonly args: readonly string[];
  readonly signals: string[];
  isRunning: boolean;
  /** Prints its first line. */
  beReady(said?: Readonly<Record<string, unknown>>): void;
  end(how: Partial<ChildEnd>): void;
}

export interface FakeChildren {
  readonly start: StartChild;
  readonly all: FakeChild[];
  /** The newest of that name. */
  named(name: string): FakeChild;
  /** What was done to them, in order: `start worker-1`, `SIGTERM worker-1`. */
  readonly events: string[];
}

/** @param isDeaf - Whether SIGTERM does nothing to them. */
export function fakeChildren({ isDeaf = false } = {}): FakeChildren {
  const all: FakeChild[] = [];
  const events: string[] = [];
  const start: StartChild = (request) => {
    const pid = 1_000_000_000 + all.length; // Above any process's.
    const { fake, child } = fakeChild(request, { pid, events, isDeaf });
    all.push(fake);
    events.push(`start ${fake.name}`);
    return child;
  };
  const named = (name: string): FakeChild => {
    const found = all.findLast((one) => one.name === name);
    if (found === undefined) throw new Error(`${name} was not started: ${events.join(', ')}`);
    return found;
  };
  return { start, all, named, events };
}

function fakeChild(
  { args }: ChildRequest,
  about: { readonly pid: number; readonly events: string[]; readonly isDeaf: boolean },
): { readonly fake: FakeChild; readonly child: Child } {
  const { pid, events, isDeaf } = about;
  const ready = Promise.withResolvers<Readonly<Record<string, unknown>>>();
  const ended = Promise.withResolvers<ChildEnd>();
  const name = args[0] === 'worker' ? (args[args.indexOf('--name') + 1] ?? '') : 'coordinator';
  const fake: FakeChild = {
    ...{ pid, name, args, signals: [], isRunning: true },
    beReady: (said = {}) => ready.resolve(said),
    end(how) {
      if (!fake.isRunning) return;
      fake.isRunning = false;
      ended.resolve({ exitCode: null, signal: null, lastWords: '', ...how });
    },
  };
  const kill = (signal: 'SIGTERM' | 'SIGKILL') => {
    fake.signals.push(signal);
    events.push(`${signal} ${name}`);
    if (signal === 'SIGKILL') fake.end({ signal });
    else if (!isDeaf) fake.end({ exitCode: 0 });
  };
  return { fake, child: { pid, ready: ready.promise, ended: ended.promise, kill } };
}
