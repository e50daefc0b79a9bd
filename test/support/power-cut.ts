/**
 * A file system of its own, in a file, whose power can be cut: what was not made durable is gone, and everything fails from
 * then on, as with a disk that loses its power. The kernel's own shutdown of a file system does it (EXT4_IOC_SHUTDOWN, and the
 * same of XFS), without a last write of its log.
 *
 *     image ─ mkfs ─ mount ─▶ work … cut ─▶ everything fails ─▶ unmount ─▶ mount (the log is gone through) ─▶ what is there
 *
 * Needs root, loop devices and python3 (for the ioctl). Where one of them is missing the tests say which, and do not pass for it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export type FileSystemKind = 'ext4' | 'xfs';

/** The smallest that mkfs.xfs makes is 300 MB; the file is sparse. */
const imageBytes = 512 << 20;
/** `_IOR('X', 125, u32)` with the flag that leaves the log as it is. */
const cutScript = `
import fcntl, os, struct, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(fd, 0x8004587D, struct.pack('I', 2))
`;

/** Why no power can be cut here; null when it can. */
export function missingForPowerCuts(kind: FileSystemKind): string | null {
  if (process.platform !== 'linux') return 'only Linux can cut the power of a file system';
  if (process.getuid?.() !== 0) return 'to mount a file system takes root';
  const tools = [`mkfs.${kind}`, 'losetup', 'python3'];
  const missing = tools.find((tool) => spawnSync(tool, ['--version']).error !== undefined);
  if (missing !== undefined) return `"${missing}" is not installed`;
  try {
    const disk = new CuttableDisk(kind);
    disk.remove();
    return null;
  } catch (error) {
    return `no loop device can be mounted: ${error instanceof Error ? error.message : error}`;
  }
}

export class CuttableDisk {
  /** Where it is mounted. */
  readonly folder: string;
  readonly #base: string;
  readonly #image: string;
  #isMounted = false;

  constructor(kind: FileSystemKind) {
    this.#base = mkdtempSync(join(tmpdir(), 'millrace-power-'));
    this.#image = join(this.#base, 'image');
    this.folder = join(this.#base, 'disk');
    mkdirSync(this.folder);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, imageBytes);
    run(`mkfs.${kind}`, ['-q', this.#image]);
    this.mount();
  }

  /** One that is removed when the test ends, whatever holds it then. */
  static forTest(kind: FileSystemKind): CuttableDisk {
    const disk = new CuttableDisk(kind);
    onTestFinished(() => disk.remove());
    return disk;
  }

  mount(): void {
    run('mount', ['-o', 'loop', this.#image, this.folder]);
    this.#isMounted = true;
  }

  /** From now on nothing is written any more. */
  cut(): void {
    run('python3', ['-c', cutScript, this.folder]);
  }

  /** Nobody has a file of it open. */
  unmount(): void {
    run('umount', [this.folder]);
    this.#isMounted = false;
  }

  remove(): void {
    // Lazily: a process that is on its way out may have a file open.
    if (this.#isMounted) spawnSync('umount', ['-l', this.folder]);
    rmSync(this.#base, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr.trim()}`);
}
