/** The exit codes of `millrace`: part of its interface, never renumbered. */
export const exitCodes = {
  done: 0,
  jobFailed: 1,
  /** The command, the job file or its parameters are wrong; nothing was started. */
  usage: 2,
  notReachable: 3,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
