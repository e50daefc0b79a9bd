/**
 * The keys of the configuration: what each is, which flag gives it to which command, and what it may be. Nothing is loaded for this,
 * so that `--help` stays quick; what values mean is in cli/config/config-schema.ts.
 *
 *     coordinator.listen    file         { "coordinator": { "listen": "127.0.0.1:7070" } }
 *                           environment  MILLRACE_COORDINATOR_LISTEN=127.0.0.1:7070
 *                           flag         millrace coordinator --listen 127.0.0.1:7070
 */

/** Who reads the configuration: only the flags of its own keys are known to it. */
export type ConfigRole = 'coordinator' | 'worker' | 'client' | 'up' | 'all';

export interface KeyAbout {
  readonly description: string;
  /** Ends the sentence "it is …". */
  readonly expected: string;
  readonly example: string;
  /** Of the flag's value. */
  readonly placeholder: string;
}

const address = { expected: 'an address such as 127.0.0.1:7070', placeholder: 'address' };
const addresses = {
  expected: 'an address such as 127.0.0.1:7070, or several with commas between them',
  placeholder: 'addresses',
};
const listening = { ...address, expected: `${address.expected}, at which others reach it` };
const folder = { expected: 'a path', placeholder: 'folder' };
const pem = { expected: 'the path of a file in PEM', placeholder: 'file' };
const name = { expected: 'letters, digits and -_. only, at most 64', placeholder: 'name' };

/** In the order in which they are shown. */
export const configKeys = {
  'coordinator.listen': {
    ...listening,
    description: 'where the coordinator listens (default 127.0.0.1:7070)',
    example: '127.0.0.1:7070',
  },
  'coordinator.data': {
    ...folder,
    description:
      'folder for what the coordinator has to remember (default millrace-data/coordinator)',
    example: '/var/lib/millrace/coordinator',
  },
  'coordinator.name': {
    ...name,
    description: 'what tells this coordinator from others (default by host and address)',
    example: 'coordinator-1',
  },
  'coordinator.metadata': {
    expected: 'file or etcd',
    placeholder: 'where',
    description:
      'where metadata is kept: file or etcd (default file, and etcd with addresses of it)',
    example: 'etcd',
  },
  'coordinator.etcd': {
    expected: 'an address such as http://127.0.0.1:2379, or several with commas between them',
    placeholder: 'addresses',
    description: 'addresses of etcd, for two or more coordinators',
    example: 'http://127.0.0.1:2379',
  },
  'worker.coordinator': {
    ...addresses,
    description: 'addresses of the coordinators (default 127.0.0.1:7070)',
    example: '127.0.0.1:7070',
  },
  'worker.listen': {
    ...listening,
    description: 'where the worker listens; port 0 is any free one (default 127.0.0.1:0)',
    example: '127.0.0.1:0',
  },
  'worker.data': {
    ...folder,
    description:
      'folder for modules, logs and what has no room in memory (default millrace-data/worker)',
    example: '/var/lib/millrace/worker',
  },
  'worker.name': {
    ...name,
    description: 'what tells this worker from others (default by host and process)',
    example: 'worker-1',
  },
  'worker.slots': {
    expected: 'a whole number from 1 to 128',
    placeholder: 'count',
    description: 'slots to offer (default one for each core)',
    example: '4',
  },
  'worker.memory': {
    expected: 'a size such as 4GB',
    placeholder: 'size',
    description: 'memory for all slots together (default 2GB each, at most half of the machine)',
    example: '4GB',
  },
  cluster: {
    ...addresses,
    description: 'addresses of the coordinators that commands talk to',
    example: '127.0.0.1:7070',
  },
  'tls.authority': {
    ...pem,
    description: 'certificate of the authority that has signed all others',
    example: 'tls/authority.pem',
  },
  'tls.certificate': {
    ...pem,
    description: 'certificate to show',
    example: 'tls/worker.pem',
  },
  'tls.key': {
    ...pem,
    description: "the certificate's private key",
    example: 'tls/worker.key',
  },
} as const satisfies Record<string, KeyAbout>;

export type ConfigKey = keyof typeof configKeys;

export const configKeyNames = Object.keys(configKeys) as ConfigKey[];

/** `worker.slots` → `MILLRACE_WORKER_SLOTS`. */
export function variableOf(key: ConfigKey): string {
  return `MILLRACE_${key.replace('.', '_').toUpperCase()}`;
}

/** The flag that gives a key to a command; null where the command has none. `worker.slots` → `--slots`. */
export function flagOf(key: ConfigKey, role: ConfigRole): string | null {
  const [section = '', last = ''] = key.split('.');
  if (section === 'tls') return `--tls-${last}`;
  if (section === 'cluster') return role === 'client' || role === 'all' ? '--cluster' : null;
  if (role === 'all') return `--${section}-${last}`;
  if (role === 'up') return upFlags[key] ?? null;
  return section === role ? `--${last}` : null;
}

/** `millrace up` gives all its processes their keys, and takes few itself. */
const upFlags: Partial<Record<ConfigKey, string>> = {
  'coordinator.listen': '--listen',
  'worker.slots': '--slots',
  'worker.memory': '--memory',
};
const upDescriptions: Partial<Record<ConfigKey, string>> = {
  'worker.slots': 'slots of each worker (default one for each core in all)',
  'worker.memory': 'memory of each worker (default its part of half of the machine)',
};

/** What `readControlCommand` is told of: the flags that a role's command takes from here. */
export function configFlags(role: ConfigRole): { flag: string; description: string }[] {
  const own = configKeyNames.flatMap((key) => {
    const { placeholder, description } = configKeys[key];
    const flag = flagOf(key, role);
    if (flag === null) return [];
    const shown = role === 'up' ? (upDescriptions[key] ?? description) : description;
    return [{ flag: `${flag} <${placeholder}>`, description: shown }];
  });
  return [
    ...own,
    { flag: '--config <file>', description: 'configuration (default millrace.config.json)' },
  ];
}
