/**
 * What a task is made of: source or gate, build sides, operators, outputs, built from the plan's vertex with everything
 * that the task was given. A build that fails leaves nothing in memory.
 *
 * Before: engine/task/task.ts. After: engine/task/build-operator.ts.
 */
import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import type { SnapshotFiles } from '../checkpoint/snapshot-files.ts';
import { FunctionCounters } from '../compile/function-context.ts';
import { deadLetterSchema } from '../contracts/dead-letters.ts';
import type { Json } from '../contracts/json.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { MemoryShare } from '../memory/memory-share.ts';
import type { MemoryScope, SlotMemory } from '../memory/slot-memory.ts';
import {
  type Operator,
  type OperatorContext,
  hasBuildSide as takesBuildSide,
} from '../operators/operator.ts';
import { SinkOperator } from '../operators/sink-operator.ts';
import type { TaskSource } from '../operators/source-operator.ts';
import type { OperatorRef } from '../plan/kept-as.ts';
import {
  gathersRows,
  hasBuildSide,
  type OperatorSpec,
  type Vertex,
  vertexOutputs,
  vertexPorts,
} from '../plan/physical-graph.ts';
import type { UserFunctions } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';
import type { RangePartitioner } from '../shuffle/range-partitioner.ts';
import { SpillBlocks } from '../spill/spill-blocks.ts';
import { InputGate } from '../stream/input-gate.ts';
import type { Outbox } from '../stream/outbox.ts';
import type { ElementReader, StreamMark } from '../stream/stream-element.ts';
import type { AlignmentPlace } from '../time/source-alignment.ts';
import type { SplitTimes } from '../time/split-times.ts';
import { buildOperator } from './build-operator.ts';
import { BuildPhase } from './build-phase.ts';
import { BuildSide } from './build-side.ts';
import { buildSource, type SourceSpecOf, splitTimesOf } from './build-source.ts';
import type { ChannelPartsContext } from './channel-parts.ts';
import { LatencyMarks } from './latency-marks.ts';
import { OperatorChain } from './operator-chain.ts';
import type { OvertakingRoute } from './overtaking.ts';
import { ProbeBuffer } from './probe-buffer.ts';
import { RestoredChannels } from './restored-channels.ts';
import { TaskCheckpoints } from './task-checkpoints.ts';
import type { TaskConnectors } from './task-connectors.ts';
import {
  buildGate,
  type ExchangeContext,
  type TaskInput,
  type TaskOutput,
} from './task-exchanges.ts';
import { TaskLatency } from './task-latency.ts';
import { TaskMetrics } from './task-metrics.ts';
import { noOutput, TaskOutputs } from './task-outputs.ts';
import { isAt, secondStreamOf, streamsOf } from './task-ports.ts';

/** The largest block of a map output that is compressed: 8,192 rows of 128 bytes. */
const mapBlockBytes = 1 << 20;

export interface TaskOptions extends TaskConnectors {
  readonly id: string;
  readonly vertex: Vertex;
  readonly memory: SlotMemory;
  readonly kernels: Kernels;
  /** None for a chain that begins with a source. */
  readonly inputs: readonly TaskInput[];
  /** None of output 0 for a chain that ends with a sink. */
  readonly outputs: readonly TaskOutput[];
  /** The user's functions by operator id. */
  readonly functions: ReadonlyMap<string, UserFunctions>;
  readonly clock: { mono(): number; wall(): number };
  /** What the sink's committer prepared; null without a sink. */
  readonly preparedSink: Json;
  /** Where spill files go; made when there is one. */
  readonly spillFolder: string;
  /** What each operator that gathers rows may hold of the memory. */
  readonly memoryShare: MemoryShare;
  /** Shared by the tasks of a source that has a rate: `rowPaceBytes`, zeroed. @defaultValue the task has the rate for itself */
  readonly pace?: ArrayBufferLike | null;
  /** With which tasks its source is aligned, where the plan has that. @defaultValue with none */
  readonly alignment?: AlignmentPlace | null;
  /** Under what checkpoints keep rows on their way to each operator of the chain. @defaultValue they keep none */
  readonly channelRefs?: readonly OperatorRef[];
  /** Where snapshots go to and come from. @defaultValue there are no checkpoints */
  readonly snapshots?: SnapshotFiles | null;
  /** Shared memory of `taskMetricsBytes(vertex.chain.length)`, zeroed. */
  readonly metrics: ArrayBufferLike;
  /** Shared memory of `taskLatencyBytes(vertex.chain.length)`, zeroed. @defaultValue latency is not measured */
  readonly latency?: { readonly buffer: ArrayBufferLike; readonly intervalMs: number } | null;
}

export class TaskParts {
  readonly metrics: TaskMetrics;
  /** Marks of the source; null where latency is not measured. */
  readonly latencyMarks: LatencyMarks | null;
  readonly outputs = new TaskOutputs();
  /** What functions count. */
  readonly counters = new FunctionCounters();
  /** Null where there are none. */
  readonly checkpoints: TaskCheckpoints | null;
  /** What was on its way at the checkpoint that the task goes on from; null where there are none. */
  restored: RestoredChannels | null = null;
  /** Where barriers come in; null where there are none, and where a source has them. */
  gate: InputGate | null = null;
  /** Null where rows come from other tasks. */
  source: TaskSource | null = null;
  /** What rows come from, where that is no source; behind the build sides of the chain's joins. */
  input: BuildPhase | null = null;
  /** Where what the source can't read, or a function fails on, goes; null when that ends the job. */
  deadLetters: Outbox | null = null;
  readonly operators: Operator[] = [];
  readonly #options: TaskOptions;
  readonly #isOver: () => boolean;
  readonly #latency: TaskLatency | null;
  #chain: OperatorChain | null = null;
  #probeBuffer: ProbeBuffer | null = null;
  /** Packs and unpacks map outputs; null while there are none. */
  #blocks: SpillBlocks | null = null;

  /** @param isOver - Whether the task's slice of time is used up. */
  constructor(options: TaskOptions, isOver: () => boolean) {
    this.#options = options;
    this.#isOver = isOver;
    const { latency = null, clock } = options;
    this.metrics = new TaskMetrics(options.metrics, () => clock.mono());
    this.#latency = latency && new TaskLatency(latency.buffer, () => clock.mono());
    this.latencyMarks = latency && new LatencyMarks(latency.intervalMs);
    this.checkpoints = checkpointsOf(options, this.#channelContext());
    try {
      this.#build();
    } catch (error) {
      this.outputs.fail();
      this.close();
      throw error;
    }
  }

  get chain(): OperatorChain {
    assert(this.#chain !== null, 'what is built has a chain');
    return this.#chain;
  }

  get sink(): SinkOperator | null {
    const last = this.operators.at(-1);
    return last instanceof SinkOperator ? last : null;
  }

  /** Operators by place in the vertex's chain; null for the source. */
  get places(): readonly (Operator | null)[] {
    return this.source === null ? this.operators : [null, ...this.operators];
  }

  /** @throws The first error of a file that could not be closed; all else is released then, too. */
  close(): void {
    const chain = this.#chain === null ? this.operators : [this.#chain];
    const outputs = this.outputs.parts();
    closeAll([
      this.checkpoints,
      this.restored,
      this.source,
      this.input,
      this.#probeBuffer,
      ...chain,
      ...outputs,
      this.#blocks,
    ]);
  }

  #build(): void {
    const { vertex, inputs, outputs, memory, kernels, functions, clock, disk, taskIndex } =
      this.#options;
    const [first, ...others] = vertex.chain;
    const last = vertex.chain.at(-1);
    assert(first !== undefined && last !== undefined, 'a task has an operator');
    const scope = memory.scope(`${vertex.name}: exchange`);
    const onWritten = (bytes: number) =>
      this.metrics.addBytesSpilled(this.#options.vertex.chain.length, bytes);
    const files = { disk, blocks: () => this.#blocksOf(scope), onWritten };
    const rangePartitioners: RangePartitioner[] = [];
    const context = {
      ...{ scope, kernels, clock, mono: () => clock.mono(), functions, ...files },
      sender: { taskIndex, taskCount: vertex.parallelism },
      hasCheckpoints: this.checkpoints !== null,
      onRange: (partitioner: RangePartitioner) => void rangePartitioners.push(partitioner),
    };
    const outbox = this.outputs.add(vertexOutputs.rows, last.output, outputs, context);
    const isSource = first.kind === 'source';
    const { deadLetters } = vertexOutputs;
    const letters = this.outputs.add(deadLetters, deadLetterSchema, outputs, context);
    this.deadLetters = letters && this.#measured(letters);
    /** Filled below; what has been made by then is closed with the input. */
    const sides: BuildSide[] = [];
    this.#probeBuffer = this.#newProbeBuffer(scope, onWritten);
    const gate = isSource ? null : this.#newGate(streamsOf(first, inputs), context);
    this.input = new BuildPhase({ sides, gate, buffer: this.#probeBuffer });
    // Only what looks at the source's rows knows their lanes; others look at what was made of them.
    const timed = vertex.chain.find(({ kind }) => kind === 'eventTime');
    const splitTimes = isSource && first.isOrdered ? splitTimesOf(vertex) : null;
    if (isSource) this.source = this.#buildSource(first, splitTimes);
    const specs = isSource ? others : vertex.chain;
    let schema = isSource ? first.output : inputs.find(isAt(vertexPorts.rows))?.schema;
    const schemas: (Schema | undefined)[] = isSource ? [undefined] : [];
    for (const spec of specs) {
      assert(schema !== undefined, 'an operator has an input schema');
      schemas.push(schema);
      const builds = hasBuildSide(spec)
        ? inputs.filter(isAt(vertexPorts.build + sides.length))
        : [];
      const [side] = builds;
      const isBuildBroadcast = side?.exchange.kind === 'broadcast';
      const build = side ? { build: side.schema, isBuildBroadcast } : {};
      const aside = this.outputs.add(asideOf(vertex, spec), schema, outputs, context);
      const own = { context: this.#contextOf(spec, aside), counters: this.counters, input: schema };
      const given = {
        ...this.#options,
        ...secondStreamOf(spec, inputs),
        ...build,
        ...own,
        rangePartitioners,
        hasCheckpoints: this.checkpoints !== null,
        splitTimes: spec === timed ? splitTimes : null,
      };
      const operator = buildOperator(spec, given);
      this.operators.push(operator);
      if (takesBuildSide(operator)) {
        const index = vertex.chain.indexOf(spec);
        const gate = buildGate(builds, context);
        sides.push(new BuildSide({ operator, gate, metrics: this.metrics, index }));
      }
      schema = spec.output;
    }
    this.#chain = new OperatorChain({
      operators: this.operators,
      last: outbox === null ? noOutput : this.#measured(outbox),
      lastMark: (mark) => this.#lastMark(mark),
      snapshotOf: (place) => this.#checkpointing.writerOf(place),
      overtaking: this.#overtakingRoute(),
      holdsTime: this.#holdingTime(specs),
      mono: () => clock.mono(),
      metrics: this.metrics,
      latency: this.#latency,
      firstIndex: isSource ? 1 : 0,
    });
    this.restored = this.#restoredChannels(schemas);
  }

  #newGate(inputs: readonly TaskInput[], context: ExchangeContext): ElementReader {
    const gate = buildGate(inputs, context);
    if (this.checkpoints !== null && gate instanceof InputGate) this.gate = gate;
    return gate;
  }

  #overtakingRoute(): OvertakingRoute {
    return {
      snapshotOf: (place) => this.#checkpointing.writerOf(place),
      keepWaiting: (...waiting) => this.#checkpointing.channels.addWaiting(...waiting),
      setOverdraft: (hasOverdraft) => this.outputs.setOverdraft(hasOverdraft),
      overtakeOutputs: (barrier) => {
        const { channels } = this.#checkpointing;
        if (!this.outputs.overtake(barrier, (sent) => channels.addSent(sent))) return false;
        this.#checkpointing.passed(this.sink?.prepared ?? null);
        return true;
      },
      isOver: this.#isOver,
    };
  }

  /** What rows on their way are kept and restored with. */
  #channelContext(): ChannelPartsContext {
    const { vertex, inputs, memory, kernels, taskIndex, channelRefs: refs = [] } = this.#options;
    const [first] = vertex.chain;
    const streams = first === undefined ? [] : streamsOf(first, inputs);
    const scope = memory.scope(`${vertex.name}: exchange`);
    return { vertex, inputs: streams, scope, kernels, taskIndex, refs };
  }

  #restoredChannels(schemas: readonly (Schema | undefined)[]): RestoredChannels | null {
    const { snapshots: files = null, vertex } = this.#options;
    const { parallelism } = vertex;
    const context = { ...this.#channelContext(), parallelism, schemas };
    return files && new RestoredChannels({ ...context, files });
  }

  get #checkpointing(): TaskCheckpoints {
    assert(this.checkpoints !== null, 'barriers come where there are checkpoints');
    return this.checkpoints;
  }

  #lastMark(mark: StreamMark): boolean {
    if (!this.outputs.mark(mark)) return false;
    if (mark.kind === 'barrier') this.#checkpointing.passed(this.sink?.prepared ?? null);
    return true;
  }

  /** Operators that know nothing of time, and give out at the end what they gathered. */
  #holdingTime(specs: readonly OperatorSpec[]): ReadonlySet<Operator> {
    const isHolding = (operator: Operator, index: number) => {
      const spec = specs[index];
      const knowsTime = operator.advance !== undefined || operator.watermarkBehind !== undefined;
      return spec !== undefined && gathersRows(spec) && !knowsTime;
    };
    return new Set(this.operators.filter(isHolding));
  }

  #buildSource(spec: SourceSpecOf, times: SplitTimes | null): TaskSource {
    const { scope } = this.#contextOf(spec);
    const hasDeadLetters = this.deadLetters !== null;
    return buildSource(spec, { ...this.#options, scope, times, hasDeadLetters });
  }

  /** @param aside - Where the rows go that the operator puts aside. */
  #contextOf(spec: OperatorSpec, aside: Outbox | null = null): OperatorContext {
    const { memory, kernels, disk, vertex, spillFolder: folder, memoryShare } = this.#options;
    const { clock, ring } = this.#options;
    const latency = this.#latency;
    const { name } = spec;
    const index = vertex.chain.indexOf(spec);
    const onWritten = (bytes: number) => this.metrics.addBytesSpilled(index, bytes);
    return {
      name,
      scope: memory.scope(name),
      kernels,
      spill: { disk, folder, prefix: String(index), share: memoryShare, onWritten },
      shouldYield: this.#isOver,
      nowMs: () => clock.mono(),
      ...(ring !== undefined && { ring }),
      deadLetters: this.deadLetters,
      late: aside && this.#measured(aside),
      gaveWindow: latency && ((endMs) => latency.gaveWindow(index, endMs)),
    };
  }

  /** Where the joins of the chain keep what comes at their probe side too early. */
  #newProbeBuffer(scope: MemoryScope, onWritten: (bytes: number) => void): ProbeBuffer | null {
    const { vertex, kernels, disk, spillFolder: folder, memoryShare: share } = this.#options;
    const isBuffered = vertex.chain.some(
      (spec) => 'isProbeBuffered' in spec && spec.isProbeBuffered,
    );
    if (!isBuffered) return null;
    const spill = { disk, folder, prefix: 'probe', share, onWritten };
    return new ProbeBuffer({ name: vertex.name, scope, kernels, spill });
  }

  #blocksOf(scope: MemoryScope): SpillBlocks {
    const { kernels, disk } = this.#options;
    this.#blocks ??= new SpillBlocks({ scope, kernels, disk, payloadBytes: mapBlockBytes });
    return this.#blocks;
  }

  /** The output with its time and rows counted. */
  #measured(outbox: Outbox): Outbox {
    return {
      offer: (batch) => {
        const { rowCount } = batch;
        const before = this.metrics.enter(this.#options.vertex.chain.length, 0);
        const isTaken = outbox.offer(batch);
        this.metrics.leave(before);
        if (isTaken) this.metrics.addRowsIn(this.#options.vertex.chain.length, rowCount);
        return isTaken;
      },
    };
  }
}

function checkpointsOf(
  { snapshots: files = null, id: taskId, clock }: TaskOptions,
  channels: ChannelPartsContext,
): TaskCheckpoints | null {
  return files && new TaskCheckpoints({ ...channels, taskId, files, clock });
}

/** The output of what an operator puts aside. */
function asideOf({ chain }: Vertex, spec: OperatorSpec): number {
  return vertexOutputs.aside + chain.indexOf(spec);
}
