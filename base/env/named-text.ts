/**
 * Texts that a plan only names: passwords in variables, certificates in files. Who uses one reads it in his own process at the
 * moment he does, so that none is in a plan, a message or a log.
 *
 * After: connectors/kafka/connection-secrets.ts.
 */
import { readFile } from 'node:fs/promises';
import { env } from 'node:process';

/** @returns Undefined where the variable is not set. */
export function variableText(name: string): string | undefined {
  return env[name];
}

/** The text of a file of UTF-8. @throws Node's error, with its code, where it can't be read. */
export function fileText(path: string): Promise<string> {
  return readFile(path, 'utf8');
}
