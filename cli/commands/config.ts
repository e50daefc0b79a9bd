/**
 * `millrace config`: the configuration that commands here would take, each key with the place that its value comes from. Files of
 * keys are named and not read; a password in an address is not shown.
 *
 * Before: cli/main.ts. After: cli/config/read-config.ts.
 */
import { tableText } from '../../base/table.ts';
import { formatBytes } from '../../base/units.ts';
import type { CliEnv } from '../cli-env.ts';
import type { Config, Setting } from '../config/config.ts';
import { configFlags } from '../config/config-keys.ts';
import { type ControlCommand, readControlCommand } from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'config',
  description: 'Shows the configuration, and where each value comes from.',
  words: [],
  flags: configFlags('all'),
  examples: ['millrace config', 'MILLRACE_WORKER_SLOTS=2 millrace config --json'],
  notes:
    'Flags come before variables such as MILLRACE_WORKER_SLOTS, these before the file, the file before defaults. The commands have shorter flags for their own keys: millrace worker --slots.',
};

const columns = [{ title: 'key' }, { title: 'value' }, { title: 'origin' }];

export async function configCommand(env: CliEnv, args: readonly string[]): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const { readConfig } = await import('../config/read-config.ts');
  const config = await readConfig(env, { role: 'all', flags: request.flags });
  if (request.isJson) env.stdout.write(`${JSON.stringify(jsonOf(config))}\n`);
  else {
    const rows = config.settings.map((setting) => [
      setting.key,
      valueText(setting),
      setting.origin,
    ]);
    env.stdout.write(tableText(columns, rows));
  }
  return exitCodes.done;
}

function jsonOf({ settings }: Config) {
  const shown = settings.map(({ key, value, origin }) => [key, { value: shownOf(value), origin }]);
  return { settings: Object.fromEntries(shown) };
}

function valueText({ key, value }: Setting): string {
  if (value === null) return '-';
  if (key === 'worker.memory') return formatBytes(Number(value));
  return [shownOf(value)].flat().join(', ');
}

function shownOf(value: Setting['value']): Setting['value'] {
  if (typeof value === 'string') return withoutPassword(value);
  return Array.isArray(value) ? value.map(withoutPassword) : value;
}

function withoutPassword(text: string): string {
  return text.replace(/^(https?:\/\/)[^@/]*@/, '$1***@');
}
