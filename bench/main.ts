/**
 * `npm run bench -- wordcount`: compares Millrace with other engines on this machine.
 *
 * After: bench/wordcount.ts
 */
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { type TextSize, textSizes } from './bench-cache.ts';
import { contestants } from './contestants.ts';
import { MissingTool } from './prepare.ts';
import { reportText } from './report.ts';
import { benchWordcount } from './wordcount.ts';

interface Flags {
  readonly size: TextSize;
  readonly runs: number;
  readonly only: readonly string[];
  readonly json?: boolean;
}

const ids = contestants.map(({ id }) => id);

const program = new Command('bench')
  .description('Runs Millrace and other engines in turns on the same text and compares them.')
  .addArgument(new Argument('<case>', 'what to run').choices(['wordcount']))
  .addOption(
    new Option('--size <size>', 'how much text').choices(Object.keys(textSizes)).default('1GB'),
  )
  .option('--runs <count>', 'turns to take the median of', parseRuns, 3)
  .option('--only <ids>', `contestants, comma-separated, of ${ids.join(', ')}`, parseIds, [])
  .option('--json', 'print one JSON object instead of a table')
  .addHelpText('after', '\nExample: npm run bench -- wordcount --size 256MB --runs 5')
  .action(async (_case: string, flags: Flags) => {
    const result = await benchWordcount(flags, (line) => process.stderr.write(`${line}\n`));
    const text = flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : reportText(result);
    process.stdout.write(text);
  });

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`bench: ${message}\n`);
  process.exitCode = error instanceof MissingTool ? 2 : 1;
}

function parseRuns(text: string): number {
  const runs = Number(text);
  if (Number.isInteger(runs) && runs >= 1 && runs <= 100) return runs;
  throw new InvalidArgumentError('Write a whole number from 1 to 100.');
}

function parseIds(text: string): string[] {
  const chosen = text.split(',').map((id) => id.trim());
  const stranger = chosen.find((id) => !ids.includes(id));
  if (stranger === undefined) return chosen;
  throw new InvalidArgumentError(`No contestant "${stranger}"; there are ${ids.join(', ')}.`);
}
