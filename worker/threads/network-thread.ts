/**
 * The entry of the network thread: gives the network program the real sockets, clock and doorbells.
 *
 * Before: worker/threads/thread-network.ts. After: worker/exchange/network-program.ts.
 */
import type { MessagePort } from 'node:worker_threads';
import { createDoorbell } from '../../base/env/doorbell.ts';
import { loadChecksum } from '../../base/env/fast-checksum.ts';
import { createRealClock } from '../../base/env/real-clock.ts';
import { createRealTimers } from '../../base/env/real-timers.ts';
import { createSocketByteNet } from '../../base/env/socket-byte-net.ts';
import { toWire } from '../../base/typed-error.ts';
import { NetworkProgram } from '../exchange/network-program.ts';
import type { FromNetwork, NetworkStart, ToNetwork } from './network-messages.ts';

// biome-ignore lint/style/noDefaultExport: Piscina calls the default export of its file.
export default async function runNetwork(
  start: NetworkStart & { readonly port: MessagePort },
): Promise<void> {
  const { address, name, tls, bell, port } = start;
  const doorbells = new Int32Array(start.doorbells);
  const bellOf = (index: number) => createDoorbell(doorbells, index);
  const post = (message: FromNetwork) => port.postMessage(message);
  const program = new NetworkProgram({
    ...{ name, bellOf, bell: bellOf(bell), net: createSocketByteNet({ tls }) },
    ...{ clock: createRealClock(), timers: createRealTimers(), checksum: loadChecksum() },
    yieldToEvents: () => new Promise((resolve) => setImmediate(resolve)),
    lost: (keys, error) => post({ kind: 'lost', keys, error: toWire(error) }),
    refused: (remote, reason) => post({ kind: 'refused', remote, reason }),
  });
  const stopped = Promise.withResolvers<void>();
  port.on('message', (message: ToNetwork) => {
    switch (message.kind) {
      case 'begin':
        program.begin(message.job);
        break;
      case 'open':
        program.open(message.outgoing, message.incoming);
        break;
      case 'closeChannels':
        program.closeChannels(message.keys);
        break;
      case 'stop':
        program.stop().then(stopped.resolve, stopped.reject);
        break;
    }
  });
  try {
    post({ kind: 'listening', address: await program.listen(address) });
  } catch (error) {
    post({ kind: 'failed', error: toWire(error) }); // Thrown, it would lose its code on the way.
    return;
  }
  await Promise.all([program.run(), stopped.promise]);
  port.close();
}
