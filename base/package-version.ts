/** The version of Millrace, for what is written to files: kept equal to package.json by a test. */
export const packageVersion = '0.1.0';
