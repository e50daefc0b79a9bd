/** Values that travel as JSON: splits, plans, connector options, commits. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };
