/**
 * Parameters of a job: declared with `t`, given as flags of the command line or by a program.
 *
 *     params: { invalidUtf8: t.utf8().choices('fail', 'replace').default('fail') }
 *     millrace run job.ts --invalid-utf8 replace
 *
 * A parameter `invalidUtf8` is the flag `--invalid-utf8`. The engine's own flags are reserved.
 */
import { typedError } from '../../base/typed-error.ts';
import { ValueType } from './value-type.ts';

/** Types that a flag can have. */
const kinds = [
  'path',
  'utf8',
  'bool',
  'date',
  'decimal',
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
] as const;

/** A parameter as the command line and the builder of a job see it. */
export interface ParamSpec {
  readonly type: (typeof kinds)[number];
  /** What a function reads of an int64. */
  readonly js: 'bigint' | 'number';
  /** Of a decimal only. */
  readonly decimal?: { readonly precision: number; readonly scale: number };
  /** An int64 default is decimal text where its values are bigints. */
  readonly default?: string | number | boolean;
  readonly isOptional: boolean;
  readonly description?: string;
  readonly choices?: readonly string[];
}

export type ParamSpecs = Readonly<Record<string, ParamSpec>>;

type ParamKind = ParamSpec['type'];

/** A type that a parameter can have. */
export type ParamType = ValueType<ParamKind, unknown, false, boolean>;

/** What `build` reads of parameters. */
export type ParamValues<P> = {
  readonly [Name in keyof P]: P[Name] extends ValueType<
    ParamKind,
    infer V,
    boolean,
    infer O extends boolean
  >
    ? true extends O
      ? V | undefined
      : V
    : never;
};

/**
 * Flags of the engine and of the command line: no parameter may take one. `--format`, of the output, is not among
 * them: a job that reads several formats may mean those of its input by it, and asks its sink for one itself.
 */
export const reservedFlags: readonly string[] = [
  'adaptive',
  'alignment-timeout',
  'allow-non-restored-state',
  'checkpoint-dir',
  'checkpoint-failures',
  'checkpoint-interval',
  'checkpoint-mode',
  'checkpoint-pause',
  'checkpoint-timeout',
  'checkpoints-in-flight',
  'cluster',
  'execution-mode',
  'fail-fast',
  'from-savepoint',
  'help',
  'json',
  'latency-interval',
  'log',
  'memory',
  'namespace',
  'no-speculation',
  'overwrite',
  'parallelism',
  'partitions',
  'priority',
  'rate',
  'restore',
  'seed',
  'shuffle',
  'speculation',
  'spill-dir',
  'ui',
  'version',
  'wait',
];

/** `invalidUtf8` → `invalid-utf8`: the flag of a parameter, without the two hyphens. */
export function flagNameOf(param: string): string {
  return param.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The specs of declared parameters. @throws JOB_PARAM_RESERVED, JOB_PARAM_INVALID */
export function paramSpecsOf(params: Readonly<Record<string, ParamType>>): ParamSpecs {
  const byFlag = new Map<string, string>();
  const specs: Record<string, ParamSpec> = {};
  for (const [name, type] of Object.entries(params)) {
    const flag = flagNameOf(name);
    checkName(name, flag, byFlag.get(flag));
    byFlag.set(flag, name);
    specs[name] = Object.freeze(specOf(name, type));
  }
  return Object.freeze(specs);
}

function checkName(name: string, flag: string, sameFlag: string | undefined): void {
  if (reservedFlags.includes(flag)) {
    throw typedError(
      'JOB_PARAM_RESERVED',
      `parameter "${name}" has the name of a flag of Millrace`,
      {
        hint: `Choose another name: --${flag} is taken.`,
      },
    );
  }
  if (!/^[a-z][A-Za-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw typedError('JOB_PARAM_INVALID', `"${name}" can't be the name of a parameter`, {
      hint: 'Write it in camel case, such as "maxAge"; the flag is then --max-age.',
    });
  }
  if (sameFlag !== undefined) {
    const message = `parameters "${sameFlag}" and "${name}" have the same flag --${flag}`;
    throw typedError('JOB_PARAM_INVALID', message, { hint: 'Rename one of them.' });
  }
}

function specOf(name: string, type: ParamType): ParamSpec {
  const kind = kinds.find((each) => type instanceof ValueType && each === type.type.kind);
  if (kind === undefined) {
    throw typedError('JOB_PARAM_INVALID', `parameter "${name}" has no type that a flag can have`, {
      hint:
        'Use t.path(), t.utf8(), t.bool(), t.date(), a type of numbers such as t.int32(), ' +
        't.float64() or t.decimal(12, 2).',
    });
  }
  const { type: declared, declaration } = type;
  const { isOptional, default: given, description, choices } = declaration;
  if (choices !== undefined && given !== undefined && !choices.includes(String(given))) {
    throw typedError('JOB_PARAM_INVALID', `the default of "${name}" is none of its choices`, {
      hint: `Choose one of ${choices.join(', ')}.`,
    });
  }
  return {
    type: kind,
    js: declared.kind === 'int64' ? declared.js : 'bigint',
    ...(declared.kind === 'decimal' && {
      decimal: { precision: declared.precision, scale: declared.scale },
    }),
    isOptional,
    ...(given !== undefined && { default: typeof given === 'bigint' ? given.toString() : given }),
    ...(description !== undefined && { description }),
    ...(choices !== undefined && { choices: Object.freeze([...choices]) }),
  };
}
