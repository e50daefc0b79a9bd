/**
 * Where executors listen: Unix sockets in a folder of the worker's, by short names, for the path of a socket may have 103 bytes on
 * every system. Where the folder is too deep for that, or other hosts are to reach them, they listen on a port that the system chooses.
 *
 * Before: worker/supervisor/executor-set.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { Address } from '../../base/env/net.ts';
import { toWire } from '../../base/typed-error.ts';
import type { ExecutorSpec } from './executor-launcher.ts';

export type Places = Pick<ExecutorSpec, 'address' | 'exchangeAddress'>;

/** `sun_path` has 104 bytes on macOS and 108 on Linux, the zero at its end included. */
const socketPathBytesMax = 103;
const anyPort: Address = '127.0.0.1:0';

export class RunFolder {
  readonly #env: Pick<Env, 'disk' | 'secrets' | 'observe'>;
  readonly #folder: string;
  readonly #listen: Address | undefined;

  /** @param listen - Where executors listen instead, for other hosts. */
  constructor(
    env: Pick<Env, 'disk' | 'secrets' | 'observe'>,
    { folder, listen }: { readonly folder: string; readonly listen: Address | undefined },
  ) {
    this.#env = env;
    this.#folder = folder;
    this.#listen = listen;
  }

  /** Removes what executors of a worker left that was killed, and that have ended with it. */
  async open(): Promise<void> {
    await this.#env.disk.removeTree(this.#folder);
    await this.#env.disk.makeDir(this.#folder, true);
  }

  newPlaces(): Places {
    const name = `${this.#folder}/${this.#env.secrets.hex(4)}`;
    return { address: this.#socket(`${name}.c`), exchangeAddress: this.#socket(`${name}.x`) };
  }

  /** Of a process that has ended, and may have been killed. */
  async remove({ address, exchangeAddress }: Places): Promise<void> {
    for (const place of [address, exchangeAddress]) {
      if (!place.startsWith('unix:')) continue;
      try {
        await this.#env.disk.unlink(place.slice('unix:'.length));
      } catch (error) {
        this.#env.observe.event('executor.socket-left', { place, message: toWire(error).message });
      }
    }
  }

  #socket(path: string): Address {
    if (this.#listen !== undefined) return this.#listen;
    return new TextEncoder().encode(path).length <= socketPathBytesMax ? `unix:${path}` : anyPort;
  }
}
