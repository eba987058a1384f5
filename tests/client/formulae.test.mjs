import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Window } from 'happy-dom';
import vm from 'node:vm';
import { load } from './load.mjs';

const { find, show, split } = await load('formulae.ts');
const TEMML = new URL('../../databench/static/temml/temml.min.js', import.meta.url);

const formula = (text, display) => ({ text, formula: true, display });
const words = text => ({ text, formula: false, display: false });

function page(t, html) {
  const window = new Window({ url: 'http://here/' });
  const had = { document: globalThis.document, Node: globalThis.Node };
  Object.assign(globalThis, { document: window.document, Node: window.Node });
  t.after(async () => {
    await window.happyDOM.abort();
    Object.assign(globalThis, had);
  });
  window.document.body.innerHTML = html;
  return window.document.body;
}

const upper = { render(tex, node) { node.textContent = tex.toUpperCase(); } };

for (const [text, pieces] of [
  ['a \\(x\\) b', [words('a '), formula('x', false), words(' b')]],
  ['$$x$$', [formula('x', true)]],
  ['\\[\nx\n\\]', [formula('\nx\n', true)]],
  ['\\begin{align*}a\\end{align*}', [formula('\\begin{align*}a\\end{align*}', true)]],
  ['$$a$$\\(b\\)', [formula('a', true), formula('b', false)]],
  ['no formula, $5 and $6', null],
  ['$$ $$', null],
  ['\\(open', null],
  ['\\begin{a}\\end{b}', null],
  ['$$$', null],
  ['$$$$', null],
  ['$$$a$$', [formula('$a', true)]],
  ['\\(\\)', null],
  ['\\(\\)\\)', [formula('\\)', false)]],
  ['\\begin{a}\\begin{b}x\\end{b}', [words('\\begin{a}'), formula('\\begin{b}x\\end{b}', true)]],
]) {
  test(`${JSON.stringify(text)} is taken apart`, () => assert.deepEqual(split(text), pieces));
}

for (const unit of ['\\( ', '$$', '\\[', '\\begin{a}', '\\end{a}', '$$ x', '\\( \\]']) {
  test(`${JSON.stringify(unit)} again and again is read once`, () => {
    // 3 MB: with a pattern that reads the rest each time it would take hours.
    const pieces = split(unit.repeat(2 ** 20));
    assert.ok(pieces === null || pieces.length > 0);
  });
}

test('environments that never end are read once', () => {
  const text = Array.from({ length: 100_000 }, (_, n) => `\\begin{a${n}}`).join('');
  assert.equal(split(text), null);
  assert.equal(split(`${text}x\\end{a99999}`).length, 2);
});

test('texts with a formula are found, also when they came in pieces', t => {
  const body = page(t, '<p>$$a$$ <b>\\(b\\)</b> c</p>');
  body.append('\\(', 'd\\)');
  assert.deepEqual(find(body).map(text => text.data), ['$$a$$ ', '\\(b\\)', '\\(d\\)']);
});

test('code, inputs and what signals write are left alone', t => {
  const kept = '<script>$$a$$</script><pre>$$a$$</pre><code>$$a$$</code><textarea>$$a$$</textarea>'
    + '<input value="$$a$$"><select><option>$$a$$</option></select><kbd>$$a$$</kbd>'
    + '<div contenteditable="">$$a$$</div><p data-signal="x">$$a$$</p><pre id="log">$$a$$</pre>'
    + '<p data-formulae="off"><b>$$a$$</b></p><style>$$a$$</style>';
  assert.deepEqual(find(page(t, kept)), []);
});

test('a formula takes the place of its source, and words stay', t => {
  const body = page(t, '<p>a \\(x\\) b $$y$$</p>');
  for (const text of find(body)) show(text, upper);
  assert.equal(body.textContent, 'a X b Y');
  const [inline, display] = body.querySelectorAll('.d-formula');
  assert.equal(inline.getAttribute('style'), null);
  assert.match(display.getAttribute('style'), /display:block/);
});

test('what is no TeX stays as text, with the reason', t => {
  t.mock.method(console, 'info', () => {});
  const body = page(t, '<p>\\(&lt;img src=x onerror=alert(1)&gt;\\) and \\(b\\)</p>');
  const failing = { render(tex, node) {
    if (tex === 'b') upper.render(tex, node);
    else throw new Error('no "TeX"');
  } };
  for (const text of find(body)) show(text, failing);
  assert.equal(body.textContent, '<img src=x onerror=alert(1)> and B');
  assert.equal(body.querySelector('img'), null);
  assert.equal(body.querySelector('.d-formula-error').title, 'no "TeX"');
  assert.equal(console.info.mock.callCount(), 1);
});

test('the renderer that is sent writes MathML, and no address that runs something', () => {
  const context = vm.createContext({});
  vm.runInContext(readFileSync(TEMML, 'utf8'), context);
  const html = tex => context.temml.renderToString(tex, { throwOnError: true });
  assert.match(html('\\frac{a}{b}'), /^<math.*<mfrac><mi>a<\/mi><mi>b<\/mi><\/mfrac>.*<\/math>$/);
  assert.doesNotMatch(html('\\text{<img src=x onerror=alert(1)>}'), /<img/);
  for (const tex of [
    '\\href{javascript:alert(1)}{x}', '\\url{javascript:alert(1)}', '\\includegraphics{http://x/y}',
    '\\class{c}{x}', '\\id{databench-alerts}{x}', '\\style{position:fixed}{x}', '\\data{signal=x}{x}',
  ]) {
    let made = '';
    try { made = html(tex); } catch { continue; }
    assert.doesNotMatch(made, /href=|src=|class="c"|id=|position|data-signal/, tex);
  }
});
