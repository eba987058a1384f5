/**
 * Loads a module of the client's TypeScript source, as the bundler reads it.
 */

import { build } from 'esbuild';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLIENT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'databench', 'client');

/** Imports a source file such as 'backoff.ts'. Each call gives a fresh instance of it. */
export async function load(name) {
  const made = await build({
    entryPoints: [join(CLIENT, name)], bundle: true, write: false, format: 'esm', target: 'es2020',
    sourcemap: 'inline', logLevel: 'silent',
  });
  const text = Buffer.from(made.outputFiles[0].contents).toString('base64');
  return import(`data:text/javascript;base64,${text}#${counter++}`);
}

let counter = 0;
