/**
 * Builds databench/static/databench.{js,mjs,d.ts} and formulae.js from the source beside this file,
 * and puts the files of other projects beside them.
 *
 * `node build.mjs` writes them; `node build.mjs --check` builds into a temporary folder and fails
 * when a committed file is not what the source builds. The same source gives the same bytes: the
 * tools are pinned, and no time, path or machine goes in.
 */

import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyVendored, staleVendored } from './vendored.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '..', '..');
const STATIC = join(HERE, '..', 'static');
const NAMES = ['databench.js', 'databench.mjs', 'databench.d.ts', 'formulae.js'];

const NOTE = '/* Databench: https://github.com/svenkreiss/databench, MIT licence. '
  + 'Built from databench/client/ by `npm run build`. */';

// A page may load the script twice, once by its template and once by itself: the first one wins,
// since a connection that it made must be the one that later scripts see.
const SCRIPT_BEGIN = `${NOTE}
var Databench = (globalThis.Databench && globalThis.Databench.Connection) ? globalThis.Databench
  : (function () {`;
const SCRIPT_END = `return exported.api;
})();
if (typeof module === 'object' && module && module.exports) module.exports = Databench;`;

const SHARED = {
  absWorkingDir: ROOT,
  bundle: true,
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
  target: ['es2020'],
};

async function buildScripts(folder) {
  await build({
    ...SHARED,
    entryPoints: [join(HERE, 'api.ts')],
    outfile: join(folder, 'databench.js'),
    format: 'iife',
    globalName: 'exported',
    banner: { js: SCRIPT_BEGIN },
    footer: { js: SCRIPT_END },
  });
  await build({
    ...SHARED,
    entryPoints: [join(HERE, 'module.ts')],
    outfile: join(folder, 'databench.mjs'),
    format: 'esm',
    banner: { js: NOTE },
  });
  await build({
    ...SHARED,
    entryPoints: [join(HERE, 'formulaepage.ts')],
    outfile: join(folder, 'formulae.js'),
    format: 'iife',
    banner: { js: NOTE },
  });
}

/** Declarations of all modules as one file: names are unique over the whole source. */
function buildDeclarations(folder) {
  const parts = mkdtempSync(join(tmpdir(), 'databench-types-'));
  try {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const made = spawnSync(process.execPath, [
      tsc, '-p', join(ROOT, 'tsconfig.json'), '--declaration', '--emitDeclarationOnly',
      '--stripInternal', '--outDir', parts,
    ], { stdio: 'inherit' });
    if (made.status !== 0) throw new Error(`tsc ended with status ${made.status}`);
    writeFileSync(join(folder, 'databench.d.ts'), flatten(parts));
  } finally {
    rmSync(parts, { recursive: true });
  }
}

function flatten(parts) {
  const files = readdirSync(parts, { recursive: true })
    .map(String)
    .filter(name => name.endsWith('.d.ts'))
    .filter(name => !name.startsWith('formulae')) // a separate script
    .filter(name => !['main.d.ts', 'module.d.ts', 'api.d.ts', join('ui', 'index.d.ts')].includes(name))
    .sort();
  const bodies = files.map(name => plain(readFileSync(join(parts, name), 'utf8')));
  checkUnique(bodies.join('\n'));
  const main = plainExports(readFileSync(join(parts, 'main.d.ts'), 'utf8'));
  const ui = readFileSync(join(parts, 'ui', 'index.d.ts'), 'utf8');
  return [
    NOTE,
    ...bodies,
    `declare namespace ui {\n  export { ${exportedNames(ui).join(', ')} };\n}`,
    main.body,
    `export { ${main.names.join(', ')} };`,
    '/** The class of websockets, where the runtime has none; see `useWebSocket`. */',
    'interface DatabenchModule {',
    '  /** Connects the page, in the way of the first release. */',
    '  (name: string): FirstRelease;',
    ...main.values.map(name => `  ${name}: typeof ${name};`),
    '  WebSocket: SocketClass | undefined;',
    '}',
    'declare const databench: DatabenchModule;',
    'export default databench;',
    'export as namespace Databench;',
    '',
  ].join('\n');
}

const IMPORTS = /^import[^;]*;\n/gm;
const REEXPORTS = /^export (type )?\{[^}]*\}( from '[^']*')?;\n/gm;

function plain(text) {
  return text
    .replace(/\r\n/g, '\n')
    .replace(IMPORTS, '')
    .replace(/^export \{\};\n/gm, '')
    .replace(/\bcodec\.(?=[A-Z])/g, '') // connection.ts imports codec.ts as a namespace
    .replace(/^export (?=declare|interface|type|enum|abstract)/gm, '')
    .trim();
}

function exportedNames(text) {
  return [...text.matchAll(REEXPORTS)]
    .flatMap(m => m[0].replace(/^export (type )?\{|\}.*;\n$/g, '').split(','))
    .map(name => name.trim())
    .filter(Boolean);
}

function plainExports(text) {
  const own = [...text.matchAll(/^export declare function (\w+)/gm)].map(m => m[1]);
  const types = new Set([...text.matchAll(/^export type \{([^}]*)\}/gm)]
    .flatMap(m => m[1].split(',').map(name => name.trim())));
  const names = [...exportedNames(text), ...own];
  const body = plain(text.replace(REEXPORTS, ''));
  return { body, names, values: names.filter(name => !types.has(name)) };
}

function checkUnique(text) {
  const seen = new Set();
  for (const [, name] of text.matchAll(/^(?:declare )?(?:abstract )?(?:class|interface|type|enum|const) (\w+)/gm)) {
    if (seen.has(name)) throw new Error(`two modules declare ${name}; one flat file cannot`);
    seen.add(name);
  }
}

async function check() {
  const folder = mkdtempSync(join(tmpdir(), 'databench-build-'));
  try {
    await make(folder);
    const stale = NAMES.filter(name => read(join(folder, name)) !== read(join(STATIC, name)));
    const all = [...stale.map(name => join(STATIC, name)), ...staleVendored(ROOT, STATIC)];
    if (all.length === 0) return;
    const shown = all.map(file => relative(ROOT, file)).join(', ');
    console.error(`${shown}: not what databench/client/ and node_modules/ make; `
      + 'run `npm ci && npm run build` and commit it');
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    console.error(`${basename(path)}: missing`);
    return null;
  }
}

async function make(folder) {
  await buildScripts(folder);
  buildDeclarations(folder);
}

if (process.argv.includes('--check')) {
  await check();
} else {
  await make(STATIC);
  copyVendored(ROOT, STATIC);
}
