/**
 * `millrace autoscale JOB`: looks at a job twice, says how many slots its work asks for and why, and has it go on with so many;
 * with `--dry-run` it only says so.
 *
 * Before: cli/main.ts. After: coordinator/job/measured-rates.ts, coordinator/scheduler/autoscale.ts, cli/control/savepoint-call.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { parseDuration } from '../../base/units.ts';
import { measuredRates } from '../../coordinator/job/measured-rates.ts';
import {
  jobMethods,
  type RescaleReply,
  type RescaleRequest,
  type WhyAnswer,
} from '../../coordinator/protocol/jobs.ts';
import {
  defaultAutoscaleConfig,
  initialAutoscale,
  type Recommendation,
  stepAutoscale,
} from '../../coordinator/scheduler/autoscale.ts';
import type { CliEnv } from '../cli-env.ts';
import {
  type ControlCommand,
  type ControlRequest,
  type Reach,
  readControlCommand,
  realReach,
} from '../control/control-command.ts';
import { withJob } from '../control/reach-job.ts';
import type { ReachedJob } from '../control/reached-job.ts';
import { askLong, timeoutFlag } from '../control/savepoint-call.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { askWhyDeadlineMs } from './status.ts';

const options: ControlCommand = {
  verb: 'autoscale',
  description: 'Gives a running job the slots that its work asks for, and says why.',
  words: ['JOB'],
  isOfCluster: true,
  flags: [
    { flag: '--dry-run', description: 'only say what it would do' },
    { flag: '--min <slots>', description: 'never fewer (default 1)' },
    { flag: '--max <slots>', description: 'never more; needed without --dry-run' },
    { flag: '--for <time>', description: 'over which it is measured (default 10s)' },
    timeoutFlag,
  ],
  examples: ['millrace autoscale ledger --dry-run', 'millrace autoscale ledger --min 2 --max 8'],
  notes:
    'Slots are those for the work of all operators: what comes in, by what one of their tasks handles while it works, and a fifth to spare. ' +
    'It acts once. What it does is that of millrace rescale: the job needs --checkpoint-dir.',
};

const spanDefaultMs = 10_000;
/** Those that a job may have. */
const slotsMost = 128;

export async function autoscaleCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const wish = wishOf(request);
  const reached = reach ?? (await realReach(request));
  return await withJob(request, reached, async (job) => {
    const { slots, recommendation } = await look(job, wish, reached.env);
    const { slots: to } = recommendation;
    const acts = to !== null && !wish.isDry;
    const done = acts ? await rescale(job, to, request) : null;
    const { name, id } = job.description;
    const facts = { name, id, slots, recommended: to, why: recommendation.why };
    if (request.isJson) env.stdout.write(`${JSON.stringify({ ...facts, rescaled: done })}\n`);
    else env.stdout.write(`${toldText(name, facts, done)}\n`);
    return exitCodes.done;
  });
}

interface Wish {
  readonly isDry: boolean;
  readonly slotsMin: number;
  readonly slotsMax: number;
  readonly spanMs: number;
}

interface Look {
  readonly slots: number | null;
  readonly recommendation: Recommendation;
}

async function look(
  job: ReachedJob,
  { slotsMin, slotsMax, spanMs }: Wish,
  { timers }: Reach['env'],
): Promise<Look> {
  const call = { method: jobMethods.why, deadlineMs: askWhyDeadlineMs };
  const before = await job.ask<WhyAnswer>(call);
  await timers.sleep(spanMs);
  const after = await job.ask<WhyAnswer>(call);
  const isSeen = before.inspection !== null && after.inspection !== null;
  const rates = isSeen ? measuredRates(before.inspection, after.inspection) : null;
  if (rates === null) {
    const why = 'it had no tasks that ran all the time';
    return { slots: null, recommendation: { slots: null, why } };
  }
  // Who asks has waited for the span: nothing has to stand any longer.
  const config = { ...defaultAutoscaleConfig, slotsMin, slotsMax, upAfterMs: 0, downAfterMs: 0 };
  const { recommendation } = stepAutoscale(initialAutoscale, rates, config);
  return { slots: rates.slots, recommendation };
}

async function rescale(job: ReachedJob, parallelism: number, { flags }: ControlRequest) {
  const body: RescaleRequest = { parallelism };
  return await askLong<RescaleReply>(job, { method: jobMethods.rescale, body, flags });
}

function toldText(
  name: string,
  { slots, recommended, why }: { slots: number | null; recommended: number | null; why: string },
  done: RescaleReply | null,
): string {
  if (slots === null) return `job "${name}" can't be measured: ${why}`;
  const head = `job "${name}" has ${slots} ${slots === 1 ? 'slot' : 'slots'}`;
  if (recommended === null) return `${head}, and is left alone: ${why}`;
  return done === null
    ? `${head}, and would get ${recommended}: ${why}`
    : `job "${name}" runs with parallelism ${done.to}, before ${done.from}: ${why}`;
}

/** @throws ARGUMENT_MISSING, FLAG_VALUE */
function wishOf({ flags }: ControlRequest): Wish {
  const { min, max, for: span } = flags;
  const isDry = flags.dryRun === true;
  if (!isDry && max === undefined) {
    throw typedError('ARGUMENT_MISSING', '"millrace autoscale" needs --max, or --dry-run', {
      hint: `For example: ${options.examples[1]}.`,
    });
  }
  const slotsMin = slotsOf('--min', min, 1);
  const slotsMax = slotsOf('--max', max, slotsMost);
  if (slotsMin > slotsMax) {
    throw typedError('FLAG_VALUE', `--min: ${slotsMin} is more than --max ${slotsMax}`, {
      hint: 'Write a --max that is at least --min.',
    });
  }
  const spanMs = span === undefined ? spanDefaultMs : parseDuration(String(span));
  if (spanMs === null || spanMs <= 0) {
    throw typedError('FLAG_VALUE', `--for: "${span}" is no time above 0`, {
      hint: 'Write a number with its unit: 500ms, 10s, 1min.',
    });
  }
  return { isDry, slotsMin, slotsMax, spanMs };
}

function slotsOf(flag: string, given: string | true | undefined, other: number): number {
  if (given === undefined) return other;
  const slots = /^\d{1,3}$/.test(String(given)) ? Number(given) : 0;
  if (slots >= 1 && slots <= slotsMost) return slots;
  throw typedError('FLAG_VALUE', `${flag}: "${given}" is no whole number from 1 to ${slotsMost}`, {
    hint: `Write ${flag} 4, for example.`,
  });
}
