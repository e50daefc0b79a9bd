/** What is wrong with a configuration, in words: the key, where it was written, what was expected, the nearest name. */
import { nearestName, nearestNames } from '../../base/nearest-name.ts';
import { type TypedError, typedError } from '../../base/typed-error.ts';
import type { ConfigFile } from './config-file.ts';
import { type ConfigKey, configKeyNames, configKeys, variableOf } from './config-keys.ts';
import type { LayerIssue } from './config-schema.ts';

const sections: readonly string[] = [
  ...new Set(configKeyNames.map((key) => key.split('.')[0] ?? '')),
];
/** Variables of ours that are no keys. */
const otherVariables = ['MILLRACE_CONFIG', 'MILLRACE_DEBUG', 'MILLRACE_JOBS_DIR'];
/** Kubernetes gives each container variables that are named after services: `MILLRACE_COORDINATOR_PORT`. */
const serviceVariable = /_(SERVICE_HOST|SERVICE_PORT|PORT)(_|$)/;

export function flagIssue(flag: string, key: ConfigKey, text: string): TypedError {
  const { expected, example } = configKeys[key];
  return typedError('FLAG_VALUE', `${flag}: "${text}" is not ${expected}`, {
    hint: `Write ${flag} ${example}, for example.`,
  });
}

export function variableIssue(variable: string, key: ConfigKey, text: string): TypedError {
  const { expected, example } = configKeys[key];
  return typedError('CONFIG_VALUE', `${variable}: "${text}" is not ${expected}`, {
    hint: `Set ${variable}=${example}, for example.`,
    details: { key },
  });
}

/**
 * A variable that looks like one of ours and is none. Others that begin with MILLRACE_ are left alone: they may be anybody's.
 */
export function unknownVariable(names: readonly string[]): TypedError | null {
  const known = [...configKeyNames.map(variableOf), ...otherVariables];
  for (const name of names) {
    if (!name.startsWith('MILLRACE_') || known.includes(name) || serviceVariable.test(name))
      continue;
    const nearest = nearestName(
      name.slice(9),
      known.map((one) => one.slice(9)),
    );
    if (nearest === null) continue;
    return typedError('CONFIG_KEY_NOT_FOUND', `there is no variable ${name}`, {
      hint: `Did you mean MILLRACE_${nearest}? millrace config shows all keys.`,
      details: { variable: name },
    });
  }
  return null;
}

export function fileIssue(file: ConfigFile, { path, isUnknownKey }: LayerIssue): TypedError {
  const place = placeOf(file, path);
  const details = { path: file.name, ...place };
  const where = place === undefined ? file.name : `${file.name}:${place.line}`;
  const name = path.join('.');
  if (isUnknownKey) {
    const siblings = path.length === 1 ? sections : siblingsOf(path[0] ?? '');
    const nearest = nearestNames(path.at(-1) ?? '', siblings);
    return typedError('CONFIG_KEY_NOT_FOUND', `there is no key "${name}" (${where})`, {
      hint: `${meantBy(path, nearest)}The keys ${path.length === 1 ? 'there' : `of "${path[0]}"`} are ${nearest.join(', ')}.`,
      details,
    });
  }
  const key = configKeyNames.find((one) => name === one || name.startsWith(`${one}.`));
  if (key === undefined) {
    const subject = path.length === 0 ? 'the configuration' : `"${name}"`;
    return typedError('CONFIG_VALUE', `${subject} is not an object with keys (${where})`, {
      hint: 'Write { "worker": { "slots": 2 } }, for example.',
      details,
    });
  }
  const { expected, example } = configKeys[key];
  const shown = JSON.stringify(valueAt(file.tree, key.split('.')));
  return typedError('CONFIG_VALUE', `${key}: ${shown} is not ${expected} (${where})`, {
    hint: `Write "${key.split('.').at(-1)}": ${JSON.stringify(example)}, for example.`,
    details: { key, ...details },
  });
}

/** "Did you mean": a key of the same section, or one of the same name in another. */
function meantBy(path: readonly string[], siblings: readonly string[]): string {
  const last = path.at(-1) ?? '';
  const sibling = nearestName(last, siblings);
  if (sibling !== null) return `Did you mean "${[...path.slice(0, -1), sibling].join('.')}"? `;
  const elsewhere = configKeyNames.find((key) => key.split('.')[1] === last);
  return elsewhere === undefined ? '' : `Did you mean "${elsewhere}"? `;
}

function siblingsOf(section: string): string[] {
  return configKeyNames.flatMap((key) => {
    const [first, last] = key.split('.');
    return first === section && last !== undefined ? [last] : [];
  });
}

/** Of the key, or of the nearest one around it: elements of lists have no place of their own. */
function placeOf(file: ConfigFile, path: readonly string[]) {
  for (let length = path.length; length > 0; length--) {
    const place = file.places.get(path.slice(0, length).join('.'));
    if (place !== undefined) return place;
  }
  return undefined;
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  let value = tree;
  for (const part of path) value = (value as Record<string, unknown>)[part];
  return value;
}
