/**
 * What can't run on a cluster, said before anything is sent: rows that this program itself has, and paths that lead elsewhere
 * on each host.
 *
 * Before: cli/cluster/read-submission.ts.
 */
import { isAbsolute } from 'node:path';
import { typedError } from '../../base/typed-error.ts';
import { connectors } from '../../connectors/registry.ts';
import type { SinkSpec, SourceSpec } from '../../engine/contracts/connector.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';
import { hasScheme } from '../job-command.ts';

/** @throws PROGRAM_NOT_ATTACHED, PATH_NOT_ABSOLUTE */
export function checkSubmission({ nodes }: LogicalGraph): void {
  for (const node of nodes) {
    if (node.kind === 'source') checkEnd('source', node.source);
    else if (node.kind === 'sink') checkEnd('sink', node.sink);
  }
}

function checkEnd(what: 'source' | 'sink', { connector, options }: SourceSpec | SinkSpec): void {
  if (connectors.get(connector)?.usesProgram === true) {
    const message = `a ${what} of connector "${connector}" is in this program, which a cluster's workers don't have`;
    throw typedError('PROGRAM_NOT_ATTACHED', message, {
      hint: 'Run the job on this machine: millrace run. On a cluster, read and write files or topics.',
    });
  }
  const path = pathIn(options);
  if (path === null || isAbsolute(path) || hasScheme(path)) return;
  throw typedError('PATH_NOT_ABSOLUTE', `path "${path}" of a ${what} is not absolute`, {
    hint: 'Workers have other working folders. Make it a parameter, t.path(), which is then seen from the folder of who submits; or write the whole path.',
    details: { path },
  });
}

function pathIn(options: unknown): string | null {
  const hasPath = typeof options === 'object' && options !== null && 'path' in options;
  return hasPath && typeof options.path === 'string' ? options.path : null;
}
