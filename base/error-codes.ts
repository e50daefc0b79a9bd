/**
 * The codes of all typed errors, each with the kind it always has. `docs/errors.md` explains every
 * one; a test keeps this list, the throw sites and that page equal. A code is never reused.
 */

export type ErrorKind = 'user' | 'external' | 'resource' | 'internal';

/** Code → kind. Keep alphabetical inside an area. */
export const errorKinds = {
  AGGREGATE_OVERFLOW: 'user',
  DISK_EXISTS: 'external',
  DISK_FULL: 'resource',
  DISK_IO: 'external',
  DISK_IS_A_FOLDER: 'external',
  DISK_NOT_A_FOLDER: 'external',
  DISK_NOT_FOUND: 'external',
  DISK_PERMISSION: 'external',
  DISK_TOO_MANY_FILES: 'resource',
  GUARD_AMBIENT: 'internal',
  INTERNAL_UNEXPECTED: 'internal',
  JOB_FUNCTIONS_DIFFER: 'user',
  JOB_NOT_RUNNING: 'user',
  LEASE_REGISTER_CORRUPT: 'external',
  MEMORY_EXHAUSTED: 'resource',
  NET_ADDRESS_FORM: 'user',
  NET_ADDRESS_IN_USE: 'external',
  NET_BROKEN: 'external',
  NET_FRAME_TOO_LARGE: 'internal',
  NET_NOT_LOOPBACK: 'user',
  NET_UNREACHABLE: 'external',
  PLAN_NO_CONNECTOR: 'internal',
  ROW_EXPIRED: 'user',
  RPC_BUSY: 'resource',
  RPC_DEADLINE: 'external',
  RPC_DISCONNECTED: 'external',
  RPC_FRAME: 'internal',
  RPC_NO_METHOD: 'internal',
  RPC_STALE_EPOCH: 'external',
  RPC_STOPPED: 'external',
  SINK_FOLDER_EXISTS: 'user',
  SINK_LOST: 'external',
  SINK_PARENT_MISSING: 'user',
  SINK_UNWRITABLE: 'user',
  SIZE_FORM: 'user',
  SOURCE_CHANGED: 'external',
  SOURCE_EMPTY: 'user',
  SOURCE_NOT_FOUND: 'user',
  SOURCE_UNREADABLE: 'user',
  TASK_INPUT_FAILED: 'external',
  TEXT_INVALID_UTF8: 'user',
  TEXT_LINE_TOO_LONG: 'user',
  THREAD_DIED: 'resource',
  USER_FUNCTION_FAILED: 'user',
  USER_FUNCTION_RESULT: 'user',
  VALUE_IS_NULL: 'user',
  VALUE_NOT_A_DATE: 'user',
  VALUE_NOT_JSON: 'user',
  VALUE_OUT_OF_RANGE: 'user',
  VALUE_TYPE_MISMATCH: 'user',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;
