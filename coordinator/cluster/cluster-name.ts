/** Names that people give to parts of a cluster: namespaces, schedules. */

/** Up to 64 letters, digits, dots, hyphens and underscores, the first of which is a letter or a digit. */
export function isClusterName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text);
}
