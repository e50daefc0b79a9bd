/**
 * The runtime guard: while a simulation runs, what would let the outside in throws GUARD_AMBIENT and
 * names the seam to use instead. Lint forbids the same in our code; this also catches packages.
 *
 * The replaced functions stay in place after the first use and look at one switch, for putting them
 * in and out again for each of a thousand runs would cost more than the runs.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { typedError } from '../base/typed-error.ts';

type Functions = Record<string, unknown>;

let isActive = false;
let isInstalled = false;

/** Runs `work` with the guard on. */
export function withGuard<T>(work: () => T): T {
  install();
  const wasActive = isActive;
  isActive = true;
  try {
    return work();
  } finally {
    isActive = wasActive;
  }
}

/** Runs a part of the simulation itself that needs the real thing, such as printing. */
export function withoutGuard<T>(work: () => T): T {
  const wasActive = isActive;
  isActive = false;
  try {
    return work();
  } finally {
    isActive = wasActive;
  }
}

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  guardDate();
  // When garbage is collected is chance from outside.
  guardConstructor(globalThis as unknown as Functions, 'WeakRef', 'a strong reference');
  guardConstructor(globalThis as unknown as Functions, 'FinalizationRegistry', 'an explicit close');
  guardAll(Math as unknown as Functions, 'Math', ['random'], 'env.rng');
  guardAll(performance as unknown as Functions, 'performance', ['now'], 'env.clock');
  guardAll(process as unknown as Functions, 'process', ['hrtime', 'uptime'], 'env.clock');
  guardAll(process as unknown as Functions, 'process', ['exit', 'kill'], 'env.process');
  const timers = ['setTimeout', 'setInterval', 'setImmediate'];
  guardAll(globalThis as unknown as Functions, '', timers, 'env.timers');
  guardAll(globalThis as unknown as Functions, '', ['fetch'], 'env.net');
  guardAll(
    crypto as unknown as Functions,
    'crypto',
    ['randomUUID', 'getRandomValues'],
    'env.secrets',
  );
  guardModules();
  syncBuiltinESMExports();
}

/** Built-in modules whose functions reach outside, and the seam that has the same. */
const guardedModules: Readonly<Record<string, string>> = {
  fs: 'env.disk',
  'fs/promises': 'env.disk',
  net: 'env.net',
  dgram: 'env.net',
  dns: 'env.net',
  http: 'env.net',
  https: 'env.net',
  child_process: 'env.process',
  timers: 'env.timers',
  'timers/promises': 'env.timers',
};

function guardModules(): void {
  const require = createRequire(import.meta.url);
  for (const [name, seam] of Object.entries(guardedModules)) {
    const functions = require(`node:${name}`) as Functions;
    const names = Object.keys(functions).filter((key) => /^[a-z]/.test(key));
    guardAll(functions, `node:${name}`, names, seam);
  }
  guardConstructor(require('node:worker_threads') as Functions, 'Worker', 'a slot runner');
  const secret = ['randomBytes', 'randomUUID', 'randomInt', 'randomFill', 'randomFillSync'];
  guardAll(require('node:crypto') as Functions, 'node:crypto', secret, 'env.secrets');
}

function guardAll(owner: Functions, where: string, names: readonly string[], seam: string): void {
  for (const name of names) {
    const original = owner[name];
    if (typeof original !== 'function') continue;
    const label = where === '' ? name : `${where}.${name}`;
    const guarded = function (this: unknown, ...args: unknown[]): unknown {
      if (isActive) refuse(label, seam);
      return Reflect.apply(original, this, args);
    };
    // Own fields such as `setTimeout[util.promisify.custom]` and `process.hrtime.bigint`.
    Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original));
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor?.configurable === false && descriptor.writable !== true) continue;
    Object.defineProperty(owner, name, { configurable: true, writable: true, value: guarded });
  }
}

function guardConstructor(owner: Functions, name: string, seam: string): void {
  owner[name] = new Proxy(owner[name] as new () => object, {
    construct(target, args, newTarget) {
      if (isActive) refuse(`new ${name}()`, seam);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
}

/** `new Date(ms)` is arithmetic and stays; `new Date()` and `Date.now()` ask for the time. */
function guardDate(): void {
  guardAll(Date as unknown as Functions, 'Date', ['now'], 'env.clock');
  globalThis.Date = new Proxy(Date, {
    construct(target, args, newTarget) {
      if (isActive && args.length === 0) refuse('new Date()', 'env.clock');
      return Reflect.construct(target, args, newTarget) as object;
    },
    apply(target, self, args) {
      if (isActive) refuse('Date()', 'env.clock');
      return Reflect.apply(target as () => string, self, args);
    },
  });
}

function refuse(label: string, seam: string): never {
  throw typedError('GUARD_AMBIENT', `"${label}" was used inside a simulation`, {
    hint: `Use ${seam}: a run must depend on its seed only. (This is a bug, please report it.)`,
    details: { name: label, seam },
  });
}
