/**
 * The program's ends of a job that it runs itself: it feeds sources of memory, takes the rows of sinks
 * of memory, and prints what goes to the console. Rows move through a ring per source and sink, between
 * the program's thread, with a small memory of its own, and a slot thread.
 *
 *     program ──row-feed──▶ ring ──▶ source … sink ──▶ ring ──row-drain──▶ program
 *
 * Before: cli/embedded.ts. After: connectors/program/row-feed.ts, connectors/program/row-drain.ts.
 */
import type { Doorbell } from '../base/env/slot-runner.ts';
import { codeOf } from '../base/typed-error.ts';
import {
  noRowsError,
  notAttachedError,
  programFailedError,
} from '../connectors/program/program-errors.ts';
import { nameIn } from '../connectors/program/program-options.ts';
import { drainRows } from '../connectors/program/row-drain.ts';
import { feedRows, type ProgramEnd, type RowsInput } from '../connectors/program/row-feed.ts';
import { TablePrinter } from '../connectors/program/table-printer.ts';
import { connectors } from '../connectors/registry.ts';
import { type PlainRow, rowsDriver } from '../engine/compile/rows-driver.ts';
import type { Json } from '../engine/contracts/json.ts';
import { instantiateKernels } from '../engine/kernels/kernels.ts';
import { ringBytes } from '../engine/memory/ring.ts';
import { SlotMemory } from '../engine/memory/slot-memory.ts';
import { type ChangePlan, changePlanOf, sinkSchemaOf } from '../engine/plan/change-plan.ts';
import type { JobMode, LogicalGraph, LogicalNode } from '../engine/plan/logical-graph.ts';
import type { RingDescriptor } from '../worker/threads/slot-messages.ts';

/** What a program has for the sources and sinks of its job. */
export interface ProgramSide {
  /** Rows that sources bring with them, by operator id. */
  readonly feeds?: ReadonlyMap<string, unknown>;
  /** Rows by the name that a source of memory has. */
  readonly inputs?: Readonly<Record<string, RowsInput>>;
  /** Takes the rows of sinks of memory, by their name, in order. Without it such sinks are refused. */
  readonly takeRows?: (name: string, rows: PlainRow[]) => void | Promise<void>;
  /** Where tables are printed. @defaultValue nowhere */
  readonly console?: ProgramConsole;
}

export interface ProgramConsole {
  /** Cells of a line. */
  readonly columns: number;
  write(text: string): void;
}

/** The threads that the program shares rings with. */
export interface ProgramThreads {
  readonly programBell: number;
  readonly slotCount: number;
  bellOf(index: number): Doorbell;
}

const slotCount = 4;
const slotBytes = 256 << 10;
/** Room for the batches under way: some megabytes per source and sink. */
const memoryBytes = 256 << 20;
const noConsole: ProgramConsole = { columns: 80, write: () => undefined };

/** A source or sink whose rows the program has. */
type ProgramNode = LogicalNode & { readonly kind: 'source' | 'sink' };

interface End {
  readonly node: ProgramNode;
  readonly end: ProgramEnd;
}

/** @throws PROGRAM_NOT_ATTACHED, PROGRAM_NO_ROWS when the job needs what the program does not have. */
export function checkProgram(graph: LogicalGraph, side: ProgramSide): void {
  const { feeds, inputs, takeRows } = side;
  for (const node of graph.nodes.filter(usesProgram)) {
    const name = nameIn(optionsIn(node));
    if (node.kind === 'sink') {
      if (node.sink.connector === 'memory' && !takeRows) throw notAttachedError(`sink "${name}"`);
    } else if (!feeds?.has(node.id) && inputs?.[name] === undefined) {
      if (inputs === undefined) throw notAttachedError(`source "${name}"`);
      throw noRowsError(`source "${name}"`, Object.keys(inputs));
    }
  }
}

export class ProgramEnds {
  /** Operator id → its ring, for the slot threads. */
  readonly rings: Readonly<Record<string, RingDescriptor>>;
  readonly #side: ProgramSide;
  readonly #ends: readonly End[];
  readonly #bell: Doorbell;
  readonly #ended = new AbortController();
  #work: Promise<void>[] = [];
  #error: unknown = null;

  /**
   * @param side - Has what `checkProgram` asks for.
   * @throws PLAN_CHANGES_REFUSED, PLAN_NEEDS_END, as the planner does
   */
  constructor(
    graph: LogicalGraph,
    side: ProgramSide,
    threads: ProgramThreads,
    mode: JobMode = graph.mode ?? 'batch',
  ) {
    this.#side = side;
    this.#bell = threads.bellOf(threads.programBell);
    const nodes = graph.nodes.filter(usesProgram);
    const rings = nodes.map((node) => [node.id, newRing(threads.programBell)] as const);
    this.rings = Object.fromEntries(rings);
    this.#ends = nodes.length === 0 ? [] : this.#endsOf(nodes, threads, changePlanOf(graph, mode));
  }

  /** What went wrong in the program first: thrown by an iterator of rows, or by who takes them. */
  get error(): unknown {
    return this.#error;
  }

  /** Begins to feed and to take; `fail` is told of an error, once. */
  start(fail: (error: unknown) => void): void {
    this.#work = this.#ends.map(async ({ node, end }) => {
      try {
        await (node.kind === 'source' ? feedRows(end, this.#rowsOf(node)) : this.#take(node, end));
      } catch (error) {
        if (this.#error !== null) return;
        this.#error = error;
        fail(codeOf(error) === null ? programFailedError(end.name, error) : error);
      }
    });
  }

  /** The job has ended; when it has finished, what is still under way is taken first. */
  async stop(hasFinished: boolean): Promise<void> {
    const takers = this.#work.filter((_, index) => this.#ends[index]?.node.kind === 'sink');
    if (hasFinished) await Promise.all(takers);
    this.#ended.abort();
    this.#bell.ring();
    // Feeds whose rows nobody reads to their end stop as well.
    await Promise.all(this.#work);
  }

  #endsOf(nodes: readonly ProgramNode[], threads: ProgramThreads, plan: ChangePlan): End[] {
    const memory = new SlotMemory({ budgetBytes: memoryBytes });
    const kernels = instantiateKernels(memory.memory);
    const slots = Array.from({ length: threads.slotCount }, (_, index) => threads.bellOf(index));
    return nodes.flatMap((node) => {
      const ring = this.rings[node.id];
      if (ring === undefined) return [];
      const end: ProgramEnd = {
        name: nameIn(optionsIn(node)),
        schema: node.kind === 'sink' ? sinkSchemaOf(node, plan.nodes.get(node.id)) : node.schema,
        ring,
        scope: memory.scope(node.id),
        kernels,
        bell: this.#bell,
        // Which slot runs the task is the scheduler's affair; a ring too many costs a look.
        wakeSlots: () => {
          for (const slot of slots) slot.ring();
        },
        signal: this.#ended.signal,
      };
      return [{ node, end }];
    });
  }

  #rowsOf(node: ProgramNode & { kind: 'source' }): RowsInput {
    const { feeds, inputs = {} } = this.#side;
    const rows = feeds?.get(node.id) ?? inputs[nameIn(node.source.options)];
    return rows as RowsInput;
  }

  async #take({ id, sink }: ProgramNode & { kind: 'sink' }, end: ProgramEnd): Promise<void> {
    const read = rowsDriver(end.scope.memory, end.schema, id);
    if (sink.connector !== 'console') {
      await drainRows(end, (batch) => this.#side.takeRows?.(end.name, read(batch)));
      return;
    }
    const { limit } = sink.options as { readonly limit: number | null };
    const { columns: widthMax, write } = this.#side.console ?? noConsole;
    const printer = new TablePrinter({ schema: end.schema, limit, widthMax, read, write });
    const outcome = await drainRows(end, (batch) => printer.add(batch));
    if (outcome === 'ended') printer.end();
  }
}

function usesProgram(node: LogicalNode): node is ProgramNode {
  if (node.kind !== 'source' && node.kind !== 'sink') return false;
  const { connector } = node.kind === 'source' ? node.source : node.sink;
  return connectors.get(connector)?.usesProgram === true;
}

function optionsIn(node: ProgramNode): Json {
  return node.kind === 'source' ? node.source.options : node.sink.options;
}

/** Both ends ring the program's bell; which slot's bell to ring is not known yet. */
function newRing(programBell: number): RingDescriptor {
  const buffer = new SharedArrayBuffer(ringBytes(slotCount, slotBytes));
  return { buffer, slotCount, slotBytes, writerBell: programBell, readerBell: programBell };
}
