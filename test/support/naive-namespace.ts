/**
 * The reference of the namenode's namespace: a map of paths, every rule written down once and slowly. It gives the same
 * answers, or the code of the same error, and the same tree.
 */
import type { NamespaceLimits } from '../../dfs/namenode/operations/operation.ts';

export interface NaiveNode {
  readonly isDirectory: boolean;
  owner: string;
  group: string;
  mode: number;
  modifiedMs: number;
  replication: number;
  namesMax: number | null;
}

export interface NaiveCaller {
  readonly user: string;
  readonly groups: readonly string[];
  readonly isSuperuser: boolean;
}

export type NaiveRequest =
  | { readonly op: 'mkdirs'; readonly path: string; readonly permission: number }
  | {
      readonly op: 'create';
      readonly path: string;
      readonly permission: number;
      readonly overwrite: boolean;
      readonly createParent: boolean;
    }
  | { readonly op: 'remove'; readonly path: string; readonly isRecursive: boolean }
  | {
      readonly op: 'rename';
      readonly source: string;
      readonly destination: string;
      readonly mode: 'legacy' | 'none' | 'overwrite';
    }
  | { readonly op: 'setPermission'; readonly path: string; readonly permission: number }
  | {
      readonly op: 'setOwner';
      readonly path: string;
      readonly owner: string;
      readonly group: string;
    }
  | { readonly op: 'setQuota'; readonly path: string; readonly namesMax: number | null }
  | { readonly op: 'list'; readonly path: string };

class Refused extends Error {}

const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/')) || '/';
const lastOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const join = (folder: string, name: string) => (folder === '/' ? `/${name}` : `${folder}/${name}`);
/** From the root down, the path itself left out. */
const above = (path: string) => {
  const names = path.split('/').filter(Boolean);
  return names.map((_, depth) => `/${names.slice(0, depth).join('/')}`);
};
const isBelow = (path: string, top: string) => path.startsWith(top === '/' ? '/' : `${top}/`);

export class NaiveNamespace {
  nodes = new Map<string, NaiveNode>();
  readonly #limits: NamespaceLimits;

  constructor(limits: NamespaceLimits, owner: string, group: string) {
    this.#limits = limits;
    this.nodes.set('/', this.#node(true, owner, group, 0o777, 0));
  }

  /** The answer as text, or the code of what it is refused with. */
  perform(request: NaiveRequest, caller: NaiveCaller, nowMs: number): string {
    const before = structuredClone(this.nodes);
    try {
      return this.#perform(request, caller, nowMs);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.nodes = before;
      return error.message;
    }
  }

  #perform(request: NaiveRequest, caller: NaiveCaller, nowMs: number): string {
    switch (request.op) {
      case 'mkdirs':
        return this.#mkdirs(request, caller, nowMs);
      case 'create':
        return this.#create(request, caller, nowMs);
      case 'remove':
        return this.#remove(request, caller, nowMs);
      case 'rename':
        return this.#rename(request, caller, nowMs);
      case 'setPermission':
        this.#traverse(request.path, caller, true);
        this.#own(request.path, caller).mode = request.permission;
        return 'true';
      case 'setOwner': {
        this.#traverse(request.path, caller, true);
        const node = this.#own(request.path, caller);
        const isOther = node.owner !== request.owner || !caller.groups.includes(request.group);
        if (isOther && !caller.isSuperuser) throw new Refused('DFS_PERMISSION');
        node.owner = request.owner;
        node.group = request.group;
        return 'true';
      }
      case 'setQuota': {
        if (!caller.isSuperuser) throw new Refused('DFS_PERMISSION');
        this.#traverse(request.path, caller, true);
        const node = this.#get(request.path);
        if (!node.isDirectory) throw new Refused('DFS_NOT_A_DIRECTORY');
        node.namesMax = request.namesMax;
        return 'true';
      }
      case 'list':
        return this.#list(request.path, caller);
    }
  }

  #mkdirs(
    { path, permission }: { path: string; permission: number },
    caller: NaiveCaller,
    nowMs: number,
  ) {
    this.#traverse(path, caller, true);
    const there = this.nodes.get(path);
    if (there?.isDirectory === true) return 'true';
    if (there !== undefined) throw new Refused('DFS_EXISTS');
    this.#writeAbove(path, caller);
    this.#makeMissing(path, permission, caller, nowMs);
    this.#add(path, this.#node(true, caller.user, this.#groupOf(path), permission, nowMs), nowMs);
    return 'true';
  }

  #create(
    request: Extract<NaiveRequest, { op: 'create' }>,
    caller: NaiveCaller,
    nowMs: number,
  ): string {
    const { path, permission } = request;
    this.#traverse(path, caller, true);
    const there = this.nodes.get(path);
    if (there?.isDirectory === true) throw new Refused('DFS_EXISTS');
    if (there !== undefined && !request.overwrite) throw new Refused('DFS_EXISTS');
    if (there !== undefined) this.#rights(path, caller, 2);
    this.#writeAbove(path, caller);
    if (!request.createParent && !this.nodes.has(parentOf(path)))
      throw new Refused('DFS_NOT_FOUND');
    if (there !== undefined) this.nodes.delete(path);
    else this.#makeMissing(path, this.#inherited(path), caller, nowMs);
    const node = this.#node(false, caller.user, this.#groupOf(path), permission, nowMs);
    this.#add(path, node, nowMs, there === undefined);
    return `FILE ${caller.user}`;
  }

  #remove(
    { path, isRecursive }: { path: string; isRecursive: boolean },
    caller: NaiveCaller,
    nowMs: number,
  ) {
    this.#traverse(path, caller, true);
    const node = this.nodes.get(path);
    if (node === undefined) return 'false';
    const below = this.#below(path);
    if (below.length > 0 && !isRecursive) throw new Refused('DFS_NOT_EMPTY');
    if (path === '/') return 'false';
    this.#removable(path, caller);
    for (const one of [path, ...below]) {
      if (this.#below(one).length > 0) this.#rights(one, caller, 7);
    }
    this.#drop(path, nowMs);
    return 'true';
  }

  #rename(
    { source, destination: named, mode }: Extract<NaiveRequest, { op: 'rename' }>,
    caller: NaiveCaller,
    nowMs: number,
  ): string {
    const isInto = mode === 'legacy' && this.nodes.get(named)?.isDirectory === true;
    const destination = isInto ? join(named, lastOf(source)) : named;
    this.#traverse(source, caller, true);
    this.#traverse(destination, caller, true);
    const code = this.#renameRefusal(source, destination, mode);
    if (code !== null && mode !== 'legacy') throw new Refused(code);
    const isFileItself = source === destination && this.nodes.get(source)?.isDirectory === false;
    if (code !== null) return String(isFileItself);
    this.#removable(source, caller);
    this.#writeAbove(destination, caller);
    const isOver = this.nodes.has(destination);
    const moreNames = this.#below(source).length + (isOver ? 0 : 1);
    if (isOver) this.#removable(destination, caller);
    if (moreNames > 0) this.#verifyQuota(destination, moreNames, source);
    if (isOver) this.#drop(destination, nowMs);
    const moved = [source, ...this.#below(source)].map(
      (path) => [destination + path.slice(source.length), this.#get(path)] as const,
    );
    this.#drop(source, nowMs);
    for (const [path, node] of moved) this.nodes.set(path, node);
    this.#get(parentOf(destination)).modifiedMs = nowMs;
    return 'true';
  }

  #renameRefusal(source: string, destination: string, mode: string): string | null {
    const from = this.nodes.get(source);
    const to = this.nodes.get(destination);
    if (from === undefined) return 'DFS_NOT_FOUND';
    if (source === '/' || destination === '/') return 'DFS_RENAME';
    if (source === destination) return 'DFS_EXISTS';
    if (isBelow(destination, source)) return 'DFS_RENAME';
    if (!this.nodes.has(parentOf(destination))) return 'DFS_NOT_FOUND';
    if (to === undefined) return null;
    if (mode !== 'overwrite') return 'DFS_EXISTS';
    const isMixed = to.isDirectory !== from.isDirectory;
    return isMixed || this.#below(destination).length > 0 ? 'DFS_RENAME' : null;
  }

  #list(path: string, caller: NaiveCaller): string {
    this.#traverse(path, caller, false);
    const node = this.#get(path);
    if (!node.isDirectory) return '';
    this.#rights(path, caller, 5);
    const names = this.#below(path).filter((one) => parentOf(one) === path);
    return names
      .map(lastOf)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .join();
  }

  /** The mode of the deepest directory that is there, without its sticky bit. */
  #inherited(path: string): number {
    const deepest = above(path).findLast((one) => this.nodes.has(one)) ?? '/';
    return this.#get(deepest).mode & 0o777;
  }

  #makeMissing(path: string, permission: number, caller: NaiveCaller, nowMs: number): void {
    for (const one of above(path)) {
      if (this.nodes.has(one)) continue;
      const mode = permission | 0o300;
      this.#add(one, this.#node(true, caller.user, this.#groupOf(one), mode, nowMs), nowMs);
    }
  }

  #add(path: string, node: NaiveNode, nowMs: number, isMore = true): void {
    if (isMore) this.#verifyQuota(path, 1, null);
    this.nodes.set(path, node);
    this.#get(parentOf(path)).modifiedMs = nowMs;
  }

  #drop(path: string, nowMs: number): void {
    for (const one of [path, ...this.#below(path)]) this.nodes.delete(one);
    this.#get(parentOf(path)).modifiedMs = nowMs;
  }

  /** Those that have the source below them already do not get more. */
  #verifyQuota(path: string, names: number, source: string | null): void {
    for (const one of above(path)) {
      const { namesMax = null } = this.nodes.get(one) ?? {};
      if (namesMax === null || (source !== null && isBelow(source, one))) continue;
      if (this.#below(one).length + 1 + names > namesMax) throw new Refused('DFS_QUOTA');
    }
  }

  #below(path: string): string[] {
    return [...this.nodes.keys()].filter((one) => one !== path && isBelow(one, path));
  }

  #get(path: string): NaiveNode {
    const node = this.nodes.get(path);
    if (node === undefined) throw new Refused('DFS_NOT_FOUND');
    return node;
  }

  #own(path: string, caller: NaiveCaller): NaiveNode {
    const node = this.#get(path);
    if (!caller.isSuperuser && node.owner !== caller.user) throw new Refused('DFS_PERMISSION');
    return node;
  }

  #traverse(path: string, caller: NaiveCaller, isChange: boolean): void {
    for (const one of above(path)) {
      const node = this.nodes.get(one);
      if (node === undefined) return;
      if (node.isDirectory) this.#rights(one, caller, 1);
      else if (isChange) throw new Refused('DFS_NOT_A_DIRECTORY');
      else if (!caller.isSuperuser) throw new Refused('DFS_PERMISSION');
    }
  }

  #rights(path: string, caller: NaiveCaller, wanted: number): void {
    const { owner, group, mode } = this.#get(path);
    let bits = mode & 7;
    if (caller.groups.includes(group)) bits = (mode >> 3) & 7;
    if (owner === caller.user) bits = (mode >> 6) & 7;
    if (!caller.isSuperuser && (bits & wanted) !== wanted) throw new Refused('DFS_PERMISSION');
  }

  #writeAbove(path: string, caller: NaiveCaller): void {
    const there = above(path).filter((one) => this.nodes.has(one));
    const deepest = there.at(-1);
    if (deepest !== undefined) this.#rights(deepest, caller, 2);
  }

  #removable(path: string, caller: NaiveCaller): void {
    const folder = parentOf(path);
    this.#rights(folder, caller, 2);
    const isSticky = (this.#get(folder).mode & 0o1000) !== 0;
    const owners = [this.#get(folder).owner, this.#get(path).owner];
    if (isSticky && !caller.isSuperuser && !owners.includes(caller.user)) {
      throw new Refused('DFS_PERMISSION');
    }
  }

  #groupOf(path: string): string {
    return this.#get(parentOf(path)).group;
  }

  #node(
    isDirectory: boolean,
    owner: string,
    group: string,
    mode: number,
    nowMs: number,
  ): NaiveNode {
    const replication = isDirectory ? 0 : this.#limits.replication;
    return { isDirectory, owner, group, mode, modifiedMs: nowMs, replication, namesMax: null };
  }
}
