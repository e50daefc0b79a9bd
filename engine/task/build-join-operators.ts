/** Builders of joins: of a build side, and of two streams. */
import { assert } from '../../base/assert.ts';
import { HashJoinOperator } from '../operators/hash-join-operator.ts';
import { AsOfJoinOperator } from '../operators/stream-join/as-of-join-operator.ts';
import { AsOfProbeOperator } from '../operators/stream-join/as-of-probe-operator.ts';
import { ChangingJoinOperator } from '../operators/stream-join/changing-join-operator.ts';
import { IntervalJoinOperator } from '../operators/stream-join/interval-join-operator.ts';
import { RegularJoinOperator } from '../operators/stream-join/regular-join-operator.ts';
import type { Schema } from '../schema/schema.ts';
import type { BuildOperatorOptions, OperatorBuilders, SpecOf } from './operator-builder.ts';

export const joinBuilders = {
  join(spec, options) {
    const { context, input, build } = options;
    assert(build !== undefined, 'a join has a build side');
    const sides = { probe: input, build, ...keptSideOf(options) };
    return new HashJoinOperator(context, { ...spec, ...sides });
  },
  intervalJoin: (spec, options) =>
    new IntervalJoinOperator(options.context, { ...spec, ...timedSides(spec, options) }),
  asOfJoin: (spec, options) =>
    new AsOfJoinOperator(options.context, { ...spec, ...timedSides(spec, options) }),
  asOfProbe(spec, { build, ...options }) {
    const given = { ...options, ...(build && { right: build }) };
    const sides = { ...timedSides(spec, given), ...keptSideOf(options) };
    return new AsOfProbeOperator(options.context, { ...spec, ...sides });
  },
  regularJoin(spec, { context, input, right }) {
    const left = { schema: input, keys: spec.leftKeys };
    const kept = { left, right: { schema: secondOf(right), keys: spec.rightKeys } };
    const { takesChanges } = spec;
    return takesChanges.left || takesChanges.right
      ? new ChangingJoinOperator(context, { ...spec, ...kept })
      : new RegularJoinOperator(context, { ...spec, ...kept });
  },
} satisfies Partial<OperatorBuilders>;

function keptSideOf(options: Pick<BuildOperatorOptions, 'isBuildBroadcast' | 'hasCheckpoints'>): {
  readonly isBroadcast: boolean;
  readonly isInCheckpoints: boolean;
} {
  const { isBuildBroadcast = false, hasCheckpoints = false } = options;
  return { isBroadcast: isBuildBroadcast, isInCheckpoints: hasCheckpoints };
}

function timedSides(
  spec: SpecOf<'intervalJoin' | 'asOfJoin' | 'asOfProbe'>,
  { input, right }: Pick<BuildOperatorOptions, 'input' | 'right'>,
) {
  return {
    left: { schema: input, keys: spec.leftKeys, time: spec.leftTime },
    right: { schema: secondOf(right), keys: spec.rightKeys, time: spec.rightTime },
  };
}

function secondOf(right: Schema | undefined): Schema {
  assert(right !== undefined, 'a join of streams has two of them');
  return right;
}
