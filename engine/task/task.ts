/**
 * A task: one parallel instance of an operator chain, run a slice at a time on a slot thread that it
 * shares with others.
 *
 *     source ─┐                                       ┌─▶ outputs ─▶ channel writers ─▶ rings
 *             ├─▶ operator ─▶ operator ─▶ operator ───┤
 *     gate ───┘     (engine/task/operator-chain.ts)   └─▶ sink
 *
 * `run` works for at most about 5 ms and never waits. It answers `busy` when there is more to do now,
 * `idle` when only others can change that (a ring is empty or full, a split is awaited), and `done`
 * once. An error leaves it by a throw: the task has failed then, and its outputs carry the mark.
 *
 * Invariants:
 * - Output goes first: nothing is read while a batch waits further down.
 * - `close` releases all memory, in every state, and marks unfinished outputs as failed, so that no
 *   reader takes half a stream for a whole one.
 * Before: worker/threads/slot-program.ts. After: engine/operators/source-operator.ts.
 */
import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import { FunctionCounters } from '../compile/function-context.ts';
import { deadLetterSchema } from '../contracts/dead-letters.ts';
import type { Json } from '../contracts/json.ts';
import type { Split } from '../contracts/source.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { MemoryShare } from '../memory/memory-share.ts';
import type { MemoryScope, SlotMemory } from '../memory/slot-memory.ts';
import { MergedSourceOperator } from '../operators/merged-source-operator.ts';
import {
  type Operator,
  type OperatorContext,
  hasBuildSide as takesBuildSide,
} from '../operators/operator.ts';
import { SampleReader } from '../operators/sample-reader.ts';
import { SinkOperator } from '../operators/sink-operator.ts';
import { SourceOperator, type TaskSource } from '../operators/source-operator.ts';
import type { PartitionBytes } from '../plan/map-output-read.ts';
import {
  gathersRows,
  hasBuildSide,
  type OperatorSpec,
  type Vertex,
  vertexOutputs,
  vertexPorts,
} from '../plan/physical-graph.ts';
import type { UserFunctions } from '../plan/user-functions.ts';
import type { RangePartitioner } from '../shuffle/range-partitioner.ts';
import { SpillBlocks } from '../spill/spill-blocks.ts';
import type { Outbox } from '../stream/outbox.ts';
import { isMark } from '../stream/stream-element.ts';
import { SplitTimes } from '../time/split-times.ts';
import { buildOperator } from './build-operator.ts';
import { BuildPhase } from './build-phase.ts';
import { BuildSide } from './build-side.ts';
import { dynamicFiltersOf } from './dynamic-filters.ts';
import { OperatorChain } from './operator-chain.ts';
import { connectorOf, type TaskConnectors } from './task-connectors.ts';
import { buildGate, type TaskInput, type TaskOutput } from './task-exchanges.ts';
import { TaskMetrics } from './task-metrics.ts';
import { noOutput, TaskOutputs } from './task-outputs.ts';
import { isAt, isStreamOf, secondStreamOf } from './task-ports.ts';
import { channelReport, operatorReport, type TaskReport } from './task-report.ts';
import { nextTaskState, type TaskState } from './task-state.ts';

const sliceMs = 5;
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
  /** Makes the task run again, from any place. @defaultValue nothing */
  readonly ring?: () => void;
  /** Shared memory of `taskMetricsBytes(vertex.chain.length)`, zeroed. */
  readonly metrics: ArrayBufferLike;
}

export type TaskProgress = 'busy' | 'idle' | 'done';

export class Task {
  readonly id: string;
  readonly #options: TaskOptions;
  readonly #metrics: TaskMetrics;
  readonly #outputIndex: number;
  readonly #outputs = new TaskOutputs();
  readonly #counters = new FunctionCounters();
  #state: TaskState = 'created';
  #source: TaskSource | null = null;
  /** Where what the source can't read, or a function fails on, goes; null when that ends the job. */
  #deadLetters: Outbox | null = null;
  /** What rows come from, where that is no source; behind the build sides of the chain's joins. */
  #input: BuildPhase | null = null;
  #operators: Operator[] = [];
  #chain: OperatorChain | null = null;
  /** Packs and unpacks map outputs; null while there are none. */
  #blocks: SpillBlocks | null = null;
  #hasInputEnded = false;
  #isNarrowed = false;
  #deadline = 0;
  #isClosed = false;

  /** Builds everything; when this throws, nothing is left in memory. */
  constructor(options: TaskOptions) {
    this.id = options.id;
    this.#options = options;
    this.#outputIndex = options.vertex.chain.length;
    this.#metrics = new TaskMetrics(options.metrics, () => options.clock.mono());
    try {
      this.#build();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get state(): TaskState {
    return this.#state;
  }

  /** Whether a split should be asked for now. */
  get wantsSplit(): boolean {
    return this.#input?.isDone !== false && (this.#source?.wantsSplit ?? false);
  }

  /** When there is something to do though nobody rings, by the clock; infinity for never. */
  get wakeAtMs(): number {
    const never = Number.POSITIVE_INFINITY;
    return Math.min(this.#chain?.wakeAtMs ?? never, this.#source?.dueAtMs ?? never);
  }

  /** What the sink wrote; null before the end, and without a sink. */
  get commit(): Json {
    return this.#sink?.commit ?? null;
  }

  /** What functions have counted, by the counters' names. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counters.counts();
  }

  /** Rows that operators have noted, by their places in the chain. */
  get notedRows(): readonly Readonly<Record<string, number>>[] {
    return this.#places.map((operator) => operator?.notedRows ?? {});
  }

  /** What it says of itself, to whoever asks why nothing comes out. */
  inspect(): TaskReport {
    return {
      state: this.#state,
      source: this.#source?.inspect() ?? null,
      input: (this.#input?.times() ?? []).map(channelReport),
      operators: this.#places.map((one) => operatorReport(one, one && this.#chain?.timeOf(one))),
      fullOutputs: this.#outputs.fullOutputs(),
    };
  }

  /** The state of a key in an operator of the chain; undefined when that is not here. */
  stateOf(operatorId: string, key: string): Json | undefined {
    const states = this.#keepers(operatorId).map((operator) => operator.stateOf?.(key));
    return states.find((state) => state !== undefined);
  }

  /** Whether an operator of that id keeps state by key here. */
  keepsState(operatorId: string): boolean {
    return this.#keepers(operatorId).length > 0;
  }

  #keepers(operatorId: string): Operator[] {
    const isMeant = (place: number) => this.#options.vertex.chain[place]?.id === operatorId;
    return this.#places.flatMap((one, place) => (isMeant(place) && one?.stateOf ? [one] : []));
  }

  /** Operators by place in the chain; null for the source. */
  get #places(): readonly (Operator | null)[] {
    return this.#source === null ? this.#operators : [null, ...this.#operators];
  }

  /** Bytes of each partition of its map outputs, by edge. */
  get partitionBytes(): PartitionBytes {
    return this.#outputs.partitionBytes;
  }

  get #sink(): SinkOperator | null {
    const last = this.#operators.at(-1);
    return last instanceof SinkOperator ? last : null;
  }

  /** What a sample reads is read once more, and counted then. */
  get #isSample(): boolean {
    const [first] = this.#options.vertex.chain;
    return first?.kind === 'source' && first.isSample === true;
  }

  /** Gives the source its next split, or null when there are no more. */
  offerSplit(split: Split | null): void {
    assert(this.#source !== null, 'splits are for tasks with a source');
    this.#source.offerSplit(split);
  }

  /** @throws What an operator or a connector threw; TASK_INPUT_FAILED when a sender has failed. */
  run(): TaskProgress {
    if (this.#state === 'created') this.#go('running');
    assert(this.#state === 'running', 'a task runs until its end');
    this.#deadline = this.#options.clock.mono() + sliceMs;
    try {
      const progress = this.#work();
      if (this.#source !== null && !this.#isSample) this.#metrics.setSource(this.#source);
      if (progress === 'done') this.#go('finished');
      else this.#outputs.flush(progress === 'idle');
      return progress;
    } catch (error) {
      this.#go('failed');
      this.#outputs.fail();
      throw error;
    }
  }

  /** @throws The first error of a file that could not be closed; all else is released then, too. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#state === 'created' || this.#state === 'running') {
      this.#go('cancelled');
      this.#outputs.fail();
    }
    const chain = this.#chain === null ? this.#operators : [this.#chain];
    closeAll([this.#source, this.#input, ...chain, ...this.#outputs.parts(), this.#blocks]);
  }

  #work(): TaskProgress {
    const chain = this.#chain;
    assert(chain !== null, 'a running task is built');
    // Messages that waited for room go first, also when no more input comes for a while.
    this.#outputs.pump();
    for (;;) {
      if (this.#input?.isDone === false) {
        const waits = this.#readBuildSides(this.#input);
        if (waits !== null) return waits;
        if (this.#isOver()) return 'busy';
        continue;
      }
      if (!chain.pump()) return this.#stopped();
      // Only a source may stop: a gate that is not read would block those who send to it.
      if (this.#source !== null && chain.hasEnough) this.#stopSource(this.#source);
      if (this.#hasInputEnded) return this.#finish(chain);
      const progress = this.#read(chain);
      if (progress !== null) return progress;
      if (this.#isOver()) return 'busy';
    }
  }

  /** Reads one batch; null to go on. */
  #read(chain: OperatorChain): TaskProgress | null {
    if (this.#source !== null) {
      if (!this.#isNarrowed) this.#narrow(this.#source);
      return this.#hasInputEnded ? null : this.#readSource(this.#source, chain);
    }
    const element = this.#input?.read() ?? 'end';
    if (element === 'waiting') return 'idle';
    if (element === 'failed') throw this.#inputFailed();
    if (element === 'end') this.#hasInputEnded = true;
    else if (isMark(element)) chain.offerMark(element);
    else this.#offer(element, chain);
    return null;
  }

  /** Null to go on. */
  #readBuildSides(phase: BuildPhase): TaskProgress | null {
    const state = phase.step();
    if (state === 'failed') throw this.#inputFailed();
    return state === 'waiting' ? 'idle' : null;
  }

  #offer(batch: Batch, chain: OperatorChain): void {
    let isTaken = false;
    try {
      isTaken = chain.offer(batch, this.#input?.port);
    } finally {
      if (!isTaken) batch.release();
    }
    assert(isTaken, 'an empty chain takes a batch');
  }

  #readSource(source: TaskSource, chain: OperatorChain): TaskProgress | null {
    const before = this.#metrics.enter(0, 0);
    const { rowCount } = source;
    const state = source.step(chain, this.#deadLetters);
    this.#metrics.leave(before);
    this.#metrics.addRowsIn(0, source.rowCount - rowCount);
    this.#metrics.addRowsOut(0, source.rowCount - rowCount);
    if (state === 'done') this.#hasInputEnded = true;
    if (state === 'full') return this.#stopped();
    return state === 'waiting' ? 'idle' : null;
  }

  /** The build sides are complete: the source leaves out what finds no partner there. */
  #narrow(source: TaskSource): void {
    this.#isNarrowed = true;
    const filters = dynamicFiltersOf(this.#options.vertex.chain, this.#operators);
    if (filters.some(({ isEmpty }) => isEmpty)) this.#stopSource(source);
    else if (filters.length > 0) source.narrow?.(filters);
  }

  #stopSource(source: TaskSource): void {
    source.stop();
    this.#hasInputEnded = true;
  }

  #finish(chain: OperatorChain): TaskProgress {
    if (!chain.finish()) return this.#stopped();
    if (this.#outputs.isEmpty) return 'done';
    const before = this.#metrics.enter(this.#outputIndex, 0);
    const isFinished = this.#outputs.finish();
    this.#metrics.leave(before);
    return isFinished ? 'done' : 'idle';
  }

  /** An operator stopped short: because of a full ring, or because time is up. */
  #stopped(): TaskProgress {
    const isWaiting = this.#sink?.isBlocked === true || this.#chain?.isWaiting === true;
    const isBlocked = this.#outputs.isBlocked || isWaiting;
    return isBlocked && !this.#isOver() ? 'idle' : 'busy';
  }

  #isOver(): boolean {
    return this.#options.clock.mono() >= this.#deadline;
  }

  #go(state: TaskState): void {
    this.#state = nextTaskState(this.#state, state);
    this.#metrics.setState(state);
  }

  #inputFailed(): Error {
    return typedError('TASK_INPUT_FAILED', `an input of task "${this.id}" has failed`, {
      hint: 'The error of the task that failed first is the reason.',
    });
  }

  #build(): void {
    const { vertex, inputs, outputs, memory, kernels, functions, clock, disk, taskIndex } =
      this.#options;
    const [first, ...others] = vertex.chain;
    const last = vertex.chain.at(-1);
    assert(first !== undefined && last !== undefined, 'a task has an operator');
    const scope = memory.scope(`${vertex.name}: exchange`);
    const onWritten = (bytes: number) => this.#metrics.addBytesSpilled(this.#outputIndex, bytes);
    const files = { disk, blocks: () => this.#blocksOf(scope), onWritten };
    const rangePartitioners: RangePartitioner[] = [];
    const context = {
      ...{ scope, kernels, clock, mono: () => clock.mono(), functions, ...files },
      sender: { taskIndex, taskCount: vertex.parallelism },
      onRange: (partitioner: RangePartitioner) => void rangePartitioners.push(partitioner),
    };
    const outbox = this.#outputs.add(vertexOutputs.rows, last.output, outputs, context);
    const isSource = first.kind === 'source';
    const { deadLetters } = vertexOutputs;
    const letters = this.#outputs.add(deadLetters, deadLetterSchema, outputs, context);
    this.#deadLetters = letters && this.#measured(letters);
    /** Filled below; what has been made by then is closed with the input. */
    const sides: BuildSide[] = [];
    this.#input = new BuildPhase({
      sides,
      gate: isSource ? null : buildGate(inputs.filter(isStreamOf(first)), context),
      isProbeBuffered: vertex.chain.some((spec) => spec.kind === 'join' && spec.isProbeBuffered),
    });
    // Only what looks at the source's rows knows their lanes; others look at what was made of them.
    const timed = vertex.chain.find(({ kind }) => kind === 'eventTime');
    const splitTimes = isSource && first.isOrdered ? splitTimesOf(vertex) : null;
    if (isSource) this.#source = this.#buildSource(first, splitTimes);
    const specs = isSource ? others : vertex.chain;
    let schema = isSource ? first.output : inputs.find(isAt(vertexPorts.rows))?.schema;
    for (const spec of specs) {
      assert(schema !== undefined, 'an operator has an input schema');
      const builds = hasBuildSide(spec)
        ? inputs.filter(isAt(vertexPorts.build + sides.length))
        : [];
      const build = builds[0] ? { build: builds[0].schema } : {};
      const own = { context: this.#contextOf(spec), counters: this.#counters, input: schema };
      const given = {
        ...this.#options,
        ...secondStreamOf(spec, inputs),
        ...build,
        ...own,
        rangePartitioners,
        splitTimes: spec === timed ? splitTimes : null,
      };
      const operator = buildOperator(spec, given);
      this.#operators.push(operator);
      if (takesBuildSide(operator)) {
        const index = vertex.chain.indexOf(spec);
        const gate = buildGate(builds, context);
        sides.push(new BuildSide({ operator, gate, metrics: this.#metrics, index }));
      }
      schema = spec.output;
    }
    this.#chain = new OperatorChain({
      operators: this.#operators,
      last: outbox === null ? noOutput : this.#measured(outbox),
      lastMark: (mark) => this.#outputs.mark(mark),
      holdsTime: this.#holdingTime(specs),
      mono: () => clock.mono(),
      metrics: this.#metrics,
      firstIndex: isSource ? 1 : 0,
    });
  }

  /** Operators that know nothing of time, and give out at the end what they gathered. */
  #holdingTime(specs: readonly OperatorSpec[]): ReadonlySet<Operator> {
    const isHolding = (operator: Operator, index: number) => {
      const spec = specs[index];
      const knowsTime = operator.advance !== undefined || operator.watermarkBehind !== undefined;
      return spec !== undefined && gathersRows(spec) && !knowsTime;
    };
    return new Set(this.#operators.filter(isHolding));
  }

  #buildSource(spec: OperatorSpec & { kind: 'source' }, times: SplitTimes | null): TaskSource {
    const { connectors, disk, clock, taskIndex, attempt, programRings } = this.#options;
    const { source, output: schema } = spec;
    const { reader } = connectorOf(connectors, source.connector);
    assert(reader !== undefined, 'the connector of a source can read');
    const { scope, kernels } = this.#contextOf(spec);
    const slot = {
      disk,
      scope,
      kernels,
      schema,
      ...{ clock, taskIndex, attempt },
      hasDeadLetters: this.#deadLetters !== null,
      predicate: source.predicate ?? null,
      programRing: programRings?.get(spec.id) ?? null,
    };
    const newReader = () => reader(source.options, slot);
    const mono = () => this.#options.clock.mono();
    if (times !== null) return new MergedSourceOperator({ newReader, times, mono });
    return new SourceOperator(spec.isSample ? new SampleReader(newReader) : newReader());
  }

  #contextOf(spec: OperatorSpec): OperatorContext {
    const { memory, kernels, disk, vertex, spillFolder: folder, memoryShare } = this.#options;
    const { clock, ring } = this.#options;
    const { name } = spec;
    const index = vertex.chain.indexOf(spec);
    const onWritten = (bytes: number) => this.#metrics.addBytesSpilled(index, bytes);
    return {
      name,
      scope: memory.scope(name),
      kernels,
      spill: { disk, folder, prefix: String(index), share: memoryShare, onWritten },
      shouldYield: () => this.#isOver(),
      nowMs: () => clock.mono(),
      ...(ring !== undefined && { ring }),
      deadLetters: this.#deadLetters,
    };
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
        const before = this.#metrics.enter(this.#outputIndex, 0);
        const isTaken = outbox.offer(batch);
        this.#metrics.leave(before);
        if (isTaken) this.#metrics.addRowsIn(this.#outputIndex, rowCount);
        return isTaken;
      },
    };
  }
}

/** How far event time has come in the lanes of a chain's source, as the chain's `eventTime` wants it. */
function splitTimesOf({ chain }: Vertex): SplitTimes {
  const spec = chain.find((one) => one.kind === 'eventTime');
  return new SplitTimes(spec ?? { outOfOrdernessMs: 0, idleAfterMs: null });
}
