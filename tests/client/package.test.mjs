import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const STATIC = join(ROOT, 'databench', 'static');
const SCRIPT = readFileSync(join(STATIC, 'databench.js'), 'utf8');
const NAMES = [
  'ActionError', 'Connection', 'Kernel', 'WebSocket', 'attach', 'connect', 'follow', 'start', 'ui', 'useWebSocket',
];

const USER = `
import Databench, { ActionError, Connection, attach, connect, ui } from 'databench';
const d: Connection = new Connection('ws://x/ws', '?a=1', 'id');
d.on('a', (v, k) => { v; k; }).on({ data: 'k' }, v => v).on({ data: /k/ }, v => v).on(/s/, v => v);
d.preEmit('a', m => m).onProcess(3, status => status === 'end').emit('a', [1]).connect().trigger('a');
async function f(abort: AbortController) {
  try {
    const x = await d.call('run', { n: 1 }, { signal: abort.signal, onProgress: p => p.value });
    return x;
  } catch (error) {
    if (error instanceof ActionError && error.outcome === 'lost') d.cancel('run', { force: true });
  }
  const e: Connection = await attach(null, null, null);
  e.disconnect();
  ui.wire(connect());
  new ui.Button(document.createElement('button')).state(ui.ButtonState.Idle);
  Databench.WebSocket = undefined;
  return d.kernel.state === 'idle' ? d.state.data['x'] : null;
}
f(new AbortController());
// @ts-expect-error: a signal is no number
d.on(3, () => {});
`;

/** The package as npm makes it, unpacked where a project finds it. */
function packed(t) {
  const folder = mkdtempSync(join(tmpdir(), 'databench-pack-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [{ filename }] = JSON.parse(execFileSync('npm',
    ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', folder],
    { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  const target = join(folder, 'node_modules', 'databench');
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['xzf', join(folder, filename), '-C', target, '--strip-components=1']);
  return folder;
}

test('the package is required, imported and typed', async t => {
  const folder = packed(t);
  const required = createRequire(join(folder, 'user.js'))('databench');
  assert.deepEqual(Object.keys(required).sort(), NAMES);
  writeFileSync(join(folder, 'user.mjs'), `
    import Databench, * as all from 'databench';
    console.log(JSON.stringify([Object.keys(Databench).sort(), Object.keys(all).sort()]));`);
  const [whole, named] = JSON.parse(execFileSync(process.execPath, [join(folder, 'user.mjs')]));
  assert.deepEqual(whole, NAMES);
  assert.deepEqual(named, [...NAMES.filter(n => n !== 'WebSocket'), 'default'].sort());
  writeFileSync(join(folder, 'user.ts'), USER);
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const checked = spawnSync(process.execPath, [
    tsc, '--noEmit', '--strict', '--target', 'es2020', '--module', 'es2020', '--moduleResolution',
    'bundler', '--lib', 'es2020,dom,dom.iterable', join(folder, 'user.ts'),
  ], { encoding: 'utf8' });
  assert.equal(checked.stdout, '');
  assert.equal(checked.status, 0);
});

test('a WebSocket class can be set on the module', t => {
  const Databench = createRequire(import.meta.url)(join(STATIC, 'databench.js'));
  t.mock.method(console, 'log', () => {});
  const urls = [];
  Databench.WebSocket = class { constructor(url) { urls.push(url); } close() {} };
  t.after(() => { Databench.WebSocket = undefined; });
  Databench.connect('ws://somewhere/ws').disconnect();
  assert.deepEqual(urls, ['ws://somewhere/ws']);
});

test('the script sets one global, and loaded twice the first one wins', () => {
  const context = vm.createContext({ console });
  const before = Object.keys(context);
  vm.runInContext(SCRIPT, context);
  const first = context.Databench;
  assert.deepEqual(Object.keys(first).sort(), NAMES);
  vm.runInContext(SCRIPT, context);
  assert.equal(context.Databench, first);
  assert.deepEqual(Object.keys(context).filter(k => !before.includes(k)), ['Databench']);
  vm.runInContext('const databench = 1;', context); // as the scripts of analyses do
});

test('the built files name no machine and no other host than the project\'s', () => {
  for (const name of ['databench.js', 'databench.mjs', 'databench.d.ts', 'databench.css', 'logo.svg']) {
    const text = readFileSync(join(STATIC, name), 'utf8');
    const hosts = [...text.matchAll(/https?:\/\/([^/"'`\s)]+)/g)].map(m => m[1]);
    assert.deepEqual(hosts.filter(h => !['github.com', 'www.w3.org'].includes(h)), [], name);
    assert.ok(!text.includes(ROOT), name);
  }
});
