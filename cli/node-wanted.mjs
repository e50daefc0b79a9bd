/** What the launcher's files agree on. It imports nothing: every start of the command reads it. */

/** The first Node that runs the project's TypeScript as it stands. */
export const nodeMajorWanted = 24;

export const isNodeWanted = Number.parseInt(process.versions.node, 10) >= nodeMajorWanted;

/** Tells a child that its parent is a launcher of ours: it ends when that one is gone. */
export const parentMark = 'MILLRACE_LAUNCHED';
