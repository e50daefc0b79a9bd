/** Of the configuration in the working folder; a file of its own, as every command that asks a job looks for it. */
export const configFileName = 'millrace.config.json';
