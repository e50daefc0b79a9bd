/**
 * What values of the configuration may be and mean. Sizes, numbers and lists may be texts everywhere, as flags and variables are;
 * a file may also write numbers and lists as JSON has them.
 *
 * `zod/mini`, not `zod`: it takes 10 ms to load instead of 60.
 */
import { resolve } from 'node:path';
import * as z from 'zod/mini';
import { assert } from '../../base/assert.ts';
import { parseHostAddress } from '../../base/env/socket-address.ts';
import { parseSize } from '../../base/units.ts';

/** Hosts that stand for all addresses of a machine: nobody can be told to connect there. */
const anyHosts: readonly string[] = ['0.0.0.0', '::', '*'];
const slotsMax = 128;

const address = z.string().check(z.refine((text) => isDone(() => parseHostAddress(text))));
const listening = z.string().check(z.refine((text) => isDone(() => assertReachable(text))));
const addresses = listOf(address);
const endpoint = z.string().check(z.refine(isEndpoint));
const name = z.string().check(z.regex(/^[A-Za-z0-9._-]{1,64}$/));
const digits = z.pipe(z.string().check(z.regex(/^\d{1,9}$/)), z.transform(Number));
const count = z.pipe(z.union([z.number(), digits]), z.int().check(z.gte(1), z.lte(slotsMax)));
const size = z.pipe(
  z.union([z.pipe(z.int(), z.transform(String)), z.string()]),
  z.pipe(
    z.string().check(z.refine((text) => isDone(() => parseSize(text)))),
    z.transform(parseSize),
  ),
);

/** The schema of one layer; relative paths are seen from `folder`. */
export function configSchema(folder: string) {
  const path = z.pipe(
    z.string().check(z.minLength(1)),
    z.transform((text: string) => resolve(folder, text)),
  );
  const section = <T extends z.core.$ZodShape>(shape: T) =>
    z.optional(z.partial(z.strictObject(shape)));
  return z.strictObject({
    coordinator: section({
      listen: listening,
      data: path,
      name,
      metadata: z.enum(['file', 'etcd']),
      etcd: listOf(endpoint),
    }),
    worker: section({
      coordinator: addresses,
      listen: listening,
      data: path,
      name,
      slots: count,
      memory: size,
    }),
    cluster: z.optional(addresses),
    tls: section({ authority: path, certificate: path, key: path }),
  });
}

/** What is wrong with a layer: of the first value, or of the first key that there is not. */
export interface LayerIssue {
  readonly path: readonly string[];
  readonly isUnknownKey: boolean;
}

export type LayerCheck =
  | { readonly issue: null; readonly values: z.infer<ReturnType<typeof configSchema>> }
  | { readonly issue: LayerIssue };

export function checkLayer(tree: unknown, folder: string): LayerCheck {
  const { success, data, error } = configSchema(folder).safeParse(tree);
  if (success) return { issue: null, values: data };
  const [first] = error.issues;
  const path = (first?.path ?? []).map(String);
  if (first?.code !== 'unrecognized_keys') return { issue: { path, isUnknownKey: false } };
  return { issue: { path: [...path, first.keys[0] ?? ''], isUnknownKey: true } };
}

/** A list, a single one, or one text with commas; never empty. */
function listOf(one: z.ZodMiniType<string, string>) {
  const texts = z.union([z.array(z.string()), z.pipe(z.string(), z.transform(splitList))]);
  return z.pipe(texts, z.array(one).check(z.minLength(1)));
}

function splitList(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/';
}

function assertReachable(text: string): void {
  const target = parseHostAddress(text);
  assert(
    'path' in target || !anyHosts.includes(target.host),
    'others can be told to connect there',
  );
}

function isDone(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false; // What is expected instead is said with the key.
  }
}
