/**
 * The transport by itself: what it says is tested through a connection (connection.test.mjs).
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { load } from './load.mjs';
import { quietConsole, World } from './world.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const CLIENT = join(HERE, '..', '..', 'databench', 'client');
const { Transport } = await load('transport.ts');

/** What is wrong with a module and all that it imports, where no page is; and those modules. */
function checkWithoutPage(name, change = text => text) {
  const root = join(CLIENT, name);
  const options = {
    target: ts.ScriptTarget.ES2020, module: ts.ModuleKind.ES2020,
    moduleResolution: ts.ModuleResolutionKind.Bundler, lib: ['lib.es2020.d.ts'], types: [],
    strict: true, noEmit: true, skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const read = host.readFile;
  host.readFile = file => (file === root ? change(read(file)) : read(file));
  const program = ts.createProgram([root, join(HERE, 'runtime.d.ts')], options, host);
  const problems = ts.getPreEmitDiagnostics(program, undefined)
    .map(found => ts.flattenDiagnosticMessageText(found.messageText, ' '));
  const modules = program.getSourceFiles().map(file => file.fileName)
    .filter(file => file.startsWith(`${CLIENT}/`)).map(file => file.slice(CLIENT.length + 1));
  return { problems, modules };
}

test('the transport, and all that it imports, compiles where there is no page', () => {
  const { problems, modules } = checkWithoutPage('transport.ts');
  assert.deepEqual(problems, []);
  assert.ok(modules.length > 10 && modules.includes('link.ts'), modules.join(' '));
});

for (const word of ['document', 'window', 'location', 'history', 'sessionStorage', 'HTMLElement']) {
  test(`a transport that names ${word} does not`, () => {
    const { problems } = checkWithoutPage('transport.ts', text => `${text}\n${word};\n`);
    assert.equal(problems.length, 1);
    assert.match(problems[0], new RegExp(`'${word}'`));
  });
}

test('what a page must do is said to whoever listens, and done by nobody else', t => {
  quietConsole(t);
  const world = new World();
  const transport = new Transport('ws://here/pi/ws', '?a=1', null, {
    ...world.options, savesSeen: () => 7,
  });
  const heard = [];
  transport.on('__reload', load => heard.push(load.paths));
  transport.connect();
  world.socket.accept();
  world.socket.say('__reload', { paths: ['/pi/'] });
  assert.deepEqual(heard, [['/pi/']]);
  assert.equal(world.reloads, 0);
  assert.equal(world.socket.sent[0].__saves, 7);
});

test('close codes are those of the server', () => {
  const server = readFileSync(join(CLIENT, '..', 'closecodes.py'), 'utf8');
  const link = readFileSync(join(CLIENT, 'link.ts'), 'utf8');
  const codes = (text, pattern) => Object.fromEntries([...text.matchAll(pattern)].map(m => [m[1], m[2]]));
  const theirs = codes(server, /^([A-Z_]+) = (\d+)/gm);
  const ours = codes(link, /^export const (GONE|TRY_LATER|TOO_LARGE) = (\d+);/gm);
  assert.equal(Object.keys(ours).length, 3);
  assert.deepEqual({ ...theirs, ...ours }, theirs);
});
