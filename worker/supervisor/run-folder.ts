/**
 * Where executors listen: Unix sockets in a folder of the worker's, by short names, for the path of a socket may have 103 bytes on
 * every system. Where the folder is too deep for that, or the worker itself listens for other hosts, they listen on any free port beside it.
 *
 * Before: worker/supervisor/executor-set.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { Address } from '../../base/env/net.ts';
import { anyPortOf, isOnThisHost } from '../../base/env/socket-address.ts';
import { toWire } from '../../base/typed-error.ts';
import type { ExecutorSpec } from './executor-launcher.ts';

export type Places = Pick<ExecutorSpec, 'address' | 'exchangeAddress'>;

/** `sun_path` has 104 bytes on macOS and 108 on Linux, the zero at its end included. */
const socketPathBytesMax = 103;

export class RunFolder {
  readonly #env: Pick<Env, 'disk' | 'secrets' | 'observe'>;
  readonly #folder: string;
  readonly #listen: Address;

  /** @param listen - Where the worker listens. */
  constructor(
    env: Pick<Env, 'disk' | 'secrets' | 'observe'>,
    { folder, listen }: { readonly folder: string; readonly listen: Address },
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
    const isShort = new TextEncoder().encode(path).length <= socketPathBytesMax;
    // Simulated workers have names for addresses.
    const listen = this.#listen.startsWith('memory:') ? '127.0.0.1:0' : this.#listen;
    return isShort && isOnThisHost(listen) ? `unix:${path}` : anyPortOf(listen);
  }
}
