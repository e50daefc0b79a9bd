/** How Flink is started in one process of Java 17, as its own scripts do. */

/** What those scripts open to it. */
const openedPackages = [
  'java.lang',
  'java.lang.invoke',
  'java.nio',
  'java.time',
  'java.util',
  'java.util.concurrent',
  'sun.nio.ch',
];

export const flinkFlags: readonly string[] = openedPackages.map(
  (part) => `--add-opens=java.base/${part}=ALL-UNNAMED`,
);
