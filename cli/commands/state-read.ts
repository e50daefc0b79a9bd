/**
 * `millrace state read DIR OPERATOR`: what an operator has in a checkpoint or savepoint, as rows. Reads the files and
 * nothing else: the job need not run, and its file is not looked at.
 *
 * Before: cli/commands/state.ts. After: cli/state/state-reading.ts, coordinator/checkpoint/store/checkpoint-places.ts.
 */
import { resolve } from 'node:path';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';
import type {
  CheckpointManifest,
  OperatorDescription,
} from '../../coordinator/checkpoint/checkpoint-manifest.ts';
import { checkpointIn } from '../../coordinator/checkpoint/store/checkpoint-places.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, readControlCommand } from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { writeStateFile } from '../state/state-file.ts';
import { type KeptPart, keptParts, StateReading } from '../state/state-reading.ts';
import { isStateFormat, printState, type StateFormat, stateFormats } from '../state/state-text.ts';

const options: ControlCommand = {
  verb: 'state read',
  description: 'Shows what an operator has in a checkpoint or savepoint, as rows.',
  words: ['DIR', 'OPERATOR'],
  flags: [
    { flag: '--key <key>', description: 'only rows of this key; a JSON list for several columns' },
    { flag: '--part <name>', description: 'only this part of the state' },
    { flag: '--state <name>', description: 'only the state that the job declares under this name' },
    {
      flag: '--format <name>',
      description: `${stateFormats.join(', ')} (default: table); of a file, what sinks have`,
    },
    {
      flag: '--output <file>',
      description: 'write a file, in the format that its name says',
    },
  ],
  examples: [
    'millrace state read chk/ counts',
    'millrace state read chk/ledger/chk-12-3 sums --key alice --format ndjson',
    'millrace state read saved/ visits --part panes --format csv',
    'millrace state read chk/ process-user --state totals --output totals.parquet',
  ],
  notes:
    'DIR is the folder of a checkpoint or savepoint, or one with the checkpoints of a job: then the newest is read. ' +
    'OPERATOR is its name or its id. Of a source its positions are shown, of a sink what is to be committed.',
};

export async function stateReadCommand(env: CliEnv, args: readonly string[]): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const [folder = '', wanted = ''] = request.words;
  const { key, output } = request.flags;
  const found = await checkpointIn(createRealDisk(), resolve(env.workingFolder, folder), 'sizes');
  const operator = findOperator(found.manifest, wanted);
  const parts = keptParts(found.manifest, operator.operatorId);
  if (parts.length === 0) {
    env.stderr.write(
      `operator "${wanted}" has nothing in checkpoint ${found.manifest.checkpointId}\n`,
    );
    return exitCodes.done;
  }
  const chosen = chosenParts(parts, request.flags);
  const reading = new StateReading(found.root, operator, typeof key === 'string' ? key : null);
  if (typeof output === 'string') {
    const [only, ...others] = chosen;
    if (only === undefined || others.length > 0) throw severalParts('a file', parts);
    const { format = null } = request.flags;
    const target = { path: resolve(env.workingFolder, output), target: output };
    const to = { ...target, format: typeof format === 'string' ? format : null };
    const rowCount = writeStateFile(reading, only, to);
    env.stderr.write(`${rowCount} rows written to ${output}\n`);
    return exitCodes.done;
  }
  const format = formatOf(request.flags.format ?? (request.isJson ? 'ndjson' : 'table'));
  if (format === 'csv' && chosen.length > 1) throw severalParts('CSV', parts);
  printState(env, { reading, parts: chosen, format });
  return exitCodes.done;
}

/** @throws FLAG_VALUE */
function chosenParts(
  parts: readonly KeptPart[],
  { part, state }: Readonly<Record<string, string | true | undefined>>,
): readonly KeptPart[] {
  if (typeof part !== 'string' && typeof state !== 'string') return parts;
  const wanted = typeof part === 'string' ? [part] : [`state-${state}`, `broadcast-${state}`];
  const chosen = parts.filter(({ name }) => wanted.includes(name));
  if (chosen.length === 0) throw noPart(wanted[0] ?? '', parts);
  return chosen;
}

function formatOf(name: string | true): StateFormat {
  if (isStateFormat(name)) return name;
  throw typedError('FLAG_VALUE', `--format has no value "${name}"`, {
    hint: `Write one of ${stateFormats.join(', ')}.`,
  });
}

function findOperator(
  { operators, jobName }: CheckpointManifest,
  given: string,
): OperatorDescription {
  const found =
    operators.find(({ operatorId }) => operatorId === given) ??
    operators.find(({ name }) => name === given);
  if (found !== undefined) return found;
  const names = [...new Set(operators.flatMap(({ operatorId, name }) => [operatorId, name]))];
  const nearest = nearestName(given, names);
  const meant = nearest === null ? '' : `Did you mean "${nearest}"? `;
  const ids = [...new Set(operators.map(({ operatorId }) => `"${operatorId}"`))].join(', ');
  throw typedError('OPERATOR_NOT_FOUND', `job "${jobName}" had no operator "${given}"`, {
    hint: `${meant}Its operators were ${ids}.`,
  });
}

interface Named {
  readonly name: string;
}

function noPart(part: string, parts: readonly Named[]) {
  return typedError('FLAG_VALUE', `--part: the state has no part "${part}"`, {
    hint: `Its parts are ${namesOf(parts)}.`,
  });
}

function severalParts(what: string, parts: readonly Named[]) {
  const message = `${what} has room for one part of the state, and there are several`;
  return typedError('FLAG_VALUE', message, {
    hint: `Write --part and one of ${namesOf(parts)}.`,
  });
}

function namesOf(parts: readonly Named[]): string {
  return parts.map(({ name }) => `"${name}"`).join(', ');
}
