/**
 * What can't run on a cluster, said before anything is sent: rows that this program itself has.
 *
 * Before: cli/cluster/read-submission.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { connectors } from '../../connectors/registry.ts';
import type { SinkSpec, SourceSpec } from '../../engine/contracts/connector.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';

/** @throws PROGRAM_NOT_ATTACHED */
export function checkSubmission({ nodes }: LogicalGraph): void {
  for (const node of nodes) {
    if (node.kind === 'source') checkEnd('source', node.source);
    else if (node.kind === 'sink') checkEnd('sink', node.sink);
  }
}

function checkEnd(what: 'source' | 'sink', { connector }: SourceSpec | SinkSpec): void {
  if (connectors.get(connector)?.usesProgram === true) {
    const message = `a ${what} of connector "${connector}" is in this program, which a cluster's workers don't have`;
    throw typedError('PROGRAM_NOT_ATTACHED', message, {
      hint: 'Run the job on this machine: millrace run. On a cluster, read and write files or topics.',
    });
  }
}
