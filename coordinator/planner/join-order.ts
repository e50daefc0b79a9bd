/**
 * Join order: how the relations of a join tree are joined with the least work, by how many rows each and each
 * two of them are expected to have.
 *
 *     work of a join = probe rows + rows out + the lesser of    both sides through a hash exchange, build rows twice
 *                                                               build rows twice for every task
 *
 * Up to ten relations: the best of all orders, from what is best for each smaller set (bushy trees too). More:
 * the two that are joined with the least work, again and again. Sets without a link between them
 * are not joined.
 *
 * The rows of a set do not depend on the order: the product of its relations' rows, divided for each link by the
 * values that its columns have in common, once per column but the first.
 *
 * @see Selinger et al., "Access path selection in a relational database management system"
 * @see Moerkotte, Neumann, "Analysis of two existing and one new dynamic programming algorithm"
 */
import { assert } from '../../base/assert.ts';
import type { JoinShape, Relations } from './join-tree.ts';

export interface SizedRelation {
  readonly rows: number;
  /** What must be there before rows are asked about this relation; null where its pairs are wanted. */
  readonly asks: { readonly reads: Relations; readonly share: number } | null;
}

export interface SizedLink {
  /** By relation: rows of the table that its column is of; undefined where it has none. */
  readonly tableRows: readonly (number | undefined)[];
  readonly set: Relations;
  /** Different values of the column that has the fewest. */
  readonly values: number;
}

export interface SizedTree {
  readonly relations: readonly SizedRelation[];
  readonly links: readonly SizedLink[];
  readonly conditions: readonly { readonly reads: Relations; readonly share: number }[];
  /** Tasks that a build side is sent to. */
  readonly parallelism: number;
}

export interface JoinPlan {
  readonly set: Relations;
  readonly rows: number;
  /** Of all joins in it. */
  readonly work: number;
  readonly shape: JoinShape;
}

const allOrdersMax = 10;

/** Finds orders for one tree. */
export class JoinOrders {
  readonly #tree: SizedTree;
  readonly #rows = new Map<Relations, number>();

  constructor(tree: SizedTree) {
    this.#tree = tree;
  }

  /** The order of the least work; null where not all are linked. */
  best(): JoinPlan | null {
    return this.#tree.relations.length <= allOrdersMax ? this.#bestOfAll() : this.#greedy();
  }

  /** The plan of a given shape. */
  planOf(shape: JoinShape): JoinPlan {
    if (typeof shape === 'number') return this.#alone(shape);
    const plan = this.#joinOf(this.planOf(shape.left), this.planOf(shape.right));
    assert(plan !== null, 'what the job joins is linked');
    return plan;
  }

  #bestOfAll(): JoinPlan | null {
    const { length } = this.#tree.relations;
    const best = new Map(this.#leaves().map((leaf) => [leaf.set, leaf]));
    for (let set = 1; set < 1 << length; set++) {
      // Each way to take it apart, once.
      for (let part = (set - 1) & set; part > (set ^ part); part = (part - 1) & set) {
        const [one, other] = [best.get(part), best.get(set ^ part)];
        const plan = one && other && this.#joinOf(one, other);
        if (plan && plan.work < (best.get(set)?.work ?? Number.POSITIVE_INFINITY)) {
          best.set(set, plan);
        }
      }
    }
    return best.get((1 << length) - 1) ?? null;
  }

  #greedy(): JoinPlan | null {
    let plans = this.#leaves();
    while (plans.length > 1) {
      const pairs = plans.flatMap((one, at) =>
        plans.slice(at + 1).flatMap((other) => {
          const plan = this.#joinOf(one, other);
          return plan === null
            ? []
            : [{ one, other, plan, added: plan.work - one.work - other.work }];
        }),
      );
      const [first, ...others] = pairs;
      if (first === undefined) return null;
      const { one, other, plan } = others.reduce((a, b) => (b.added < a.added ? b : a), first);
      plans = [...plans.filter((among) => among !== one && among !== other), plan];
    }
    return plans[0] ?? null;
  }

  #leaves(): JoinPlan[] {
    return this.#tree.relations.map((_, at) => this.#alone(at));
  }

  #alone(relation: number): JoinPlan {
    const rows = this.#tree.relations[relation]?.rows ?? 0;
    return { set: 1 << relation, rows, work: 0, shape: relation };
  }

  /** Both joined; null where nothing links them. */
  #joinOf(a: JoinPlan, b: JoinPlan): JoinPlan | null {
    const [askedA, askedB] = [this.#asksOf(a), this.#asksOf(b)];
    if (askedA === null && askedB === null) {
      const isLinked = this.#tree.links.some(
        ({ set }) => (set & a.set) !== 0 && (set & b.set) !== 0,
      );
      // The smaller one is built.
      return isLinked ? this.#joined(a.rows < b.rows ? [b, a] : [a, b]) : null;
    }
    const [rows, about, asks] = askedA === null ? [a, b, askedB] : [b, a, askedA];
    const isReady = this.#asksOf(rows) === null && asks !== null && (asks.reads & ~rows.set) === 0;
    return isReady ? this.#joined([rows, about]) : null;
  }

  /** What a relation that stands alone must have before it. */
  #asksOf({ shape }: JoinPlan): SizedRelation['asks'] {
    return typeof shape === 'number' ? (this.#tree.relations[shape]?.asks ?? null) : null;
  }

  #joined([left, right]: readonly [JoinPlan, JoinPlan]): JoinPlan {
    const set = left.set | right.set;
    const rows = this.#rows.get(set) ?? rowsOf(this.#tree, set);
    this.#rows.set(set, rows);
    // Who is asked about may be the larger one: then the other side is kept.
    const [probe, build] = [Math.max(left.rows, right.rows), Math.min(left.rows, right.rows)];
    const exchange = Math.min(probe + 3 * build, 2 * build * this.#tree.parallelism);
    const work = left.work + right.work + probe + rows + exchange;
    return { set, rows, work, shape: { left: left.shape, right: right.shape } };
  }
}

function rowsOf({ relations, links, conditions }: SizedTree, set: Relations): number {
  let [rows, seen] = [1, 0];
  for (const [at, relation] of relations.entries()) {
    if ((set & (1 << at)) === 0) continue;
    if (relation.asks === null) {
      rows *= relation.rows / valuesBetween(links, at, seen);
      seen |= 1 << at;
    } else rows *= relation.asks.share;
  }
  for (const { reads, share } of conditions) if ((reads & ~set) === 0) rows *= share;
  return Math.max(1, rows);
}

/** How many different values, or pairs of them, a relation has in common with those before it. */
function valuesBetween(links: readonly SizedLink[], relation: number, seen: Relations): number {
  const own = links.filter(({ set }) => (set & (1 << relation)) !== 0 && (set & seen) !== 0);
  const product = own.reduce((all, { values }) => all * values, 1);
  const common = own.reduce((set, link) => set & link.set, seen);
  if (own.length < 2 || common === 0) return Math.max(1, product);
  // Pairs of values that refer to rows of one table are as many as its rows at most.
  const partner = 31 - Math.clz32(common);
  const most = [relation, partner].map((one) =>
    Math.max(...own.map(({ tableRows }) => tableRows[one] ?? 0)),
  );
  return Math.max(1, Math.min(product, ...most));
}
