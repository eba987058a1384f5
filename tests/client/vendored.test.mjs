import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { copyVendored, staleVendored } from '../../databench/client/vendored.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function folder(t) {
  const made = mkdtempSync(join(tmpdir(), 'databench-vendored-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

test('what is sent is what the packages hold, each with its licence', t => {
  assert.deepEqual(staleVendored(ROOT, join(ROOT, 'databench', 'static')), []);
  const copy = folder(t);
  copyVendored(ROOT, copy);
  for (const name of readdirSync(copy)) assert.ok(readdirSync(join(copy, name)).some(file => file.startsWith('LICENSE')));
});

test('a file that was changed, and one that is missing, are named', t => {
  const copy = folder(t);
  copyVendored(ROOT, copy);
  assert.deepEqual(staleVendored(ROOT, copy), []);
  const changed = join(copy, 'temml', 'temml.min.js');
  const missing = join(copy, 'stix-two-math', 'LICENSE');
  appendFileSync(changed, ' ');
  rmSync(missing);
  assert.deepEqual(staleVendored(ROOT, copy).sort(), [changed, missing].sort());
});

test('in CI a package that is not installed is a fault', t => {
  t.mock.method(console, 'error', () => {});
  const had = process.env.CI;
  t.after(() => { if (had === undefined) delete process.env.CI; else process.env.CI = had; });
  process.env.CI = 'true';
  assert.ok(staleVendored(folder(t), folder(t)).length > 3);
  delete process.env.CI;
  assert.deepEqual(staleVendored(folder(t), folder(t)), []);
});
