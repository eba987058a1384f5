import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './dom.mjs';

const sent = world => world.socket.actions.map(a => [a.signal, a.load]);

test('each kind of input sends its value under its name', t => {
  const { one, enter, fire, world } = page(t, `
    <input id="text" type="text"><input name="plain"><input id="mail" type="email">
    <textarea name="area"></textarea><input type="number" id="n"><input type="number" id="empty">
    <input type="range" id="slider" min="0" max="10" value="5">
    <input type="checkbox" id="check">
    <input type="radio" name="kind" value="a"><input type="radio" name="kind" value="b">
    <select id="choice"><option>x</option><option>y</option></select>
    <select id="many" multiple><option>x</option><option>y</option><option>z</option></select>`);
  enter('#text', 'a');
  enter('[name=plain]', '0');
  enter('#mail', 'a@b');
  enter('textarea', 'long');
  enter('#n', '2.5');
  enter('#empty', '');
  enter('#slider', '7');
  one('#check').checked = true;
  fire(one('#check'), 'change');
  one('[value=b]').checked = true;
  fire(one('[value=b]'), 'change');
  enter('#choice', 'y');
  for (const i of [0, 2]) one('#many').options[i].selected = true;
  fire(one('#many'), 'change');
  assert.deepEqual(sent(world), [
    ['text', 'a'], ['plain', '0'], ['mail', 'a@b'], ['area', 'long'], ['n', 2.5], ['empty', null],
    ['slider', 7], ['check', true], ['kind', 'b'], ['choice', 'y'], ['many', ['x', 'z']],
  ]);
});

test('each kind of input shows the state', t => {
  const { one, world } = page(t, `
    <input id="text" type="text" value="x"><input type="number" id="n">
    <input type="range" id="slider" min="0" max="10"><input type="checkbox" id="check">
    <input type="radio" name="kind" value="1"><input type="radio" name="kind" value="2" checked>
    <select id="choice"><option>0</option><option selected>1</option></select>
    <select id="many" multiple><option>x</option><option>y</option><option>z</option></select>
    <textarea data-action="area"></textarea><input data-signal="class_data:shared" id="s">`);
  world.socket.say('data', {
    text: 0, n: 0, slider: 3, check: 1, kind: 1, choice: 0, many: ['x', 'z'], area: null,
  });
  world.socket.say('class_data', { shared: 'all', text: 'not this' });
  assert.equal(one('#text').value, '0');
  assert.equal(one('#n').value, '0');
  assert.equal(one('#slider').value, '3');
  assert.equal(one('#check').checked, true);
  assert.equal(one('[name=kind]:checked').value, '1');
  assert.equal(one('#choice').value, '0');
  assert.deepEqual([...one('#many').options].map(o => o.selected), [true, false, true]);
  assert.equal(one('textarea').value, '');
  assert.equal(one('#s').value, 'all');
});

test('a state never overwrites what is being typed; it comes when that is left', t => {
  const { one, fire, world } = page(t, '<input id="text" type="text"><input id="other" type="text">');
  const input = one('#text');
  input.focus();
  input.value = 'half a wo';
  fire(input, 'input');
  world.socket.say('data', { text: 'from elsewhere' });
  world.advance(60_000);
  assert.equal(input.value, 'half a wo');
  one('#other').focus();
  fire(input, 'blur');
  assert.equal(input.value, 'from elsewhere');
});

test('an edit that is sent makes a waiting state old', t => {
  const { one, fire, world } = page(t, '<input id="text" type="text">');
  const input = one('#text');
  input.focus();
  input.value = 'mine';
  fire(input, 'input');
  world.socket.say('data', { text: 'old' });
  fire(input, 'change');
  world.advance(60_000);
  assert.equal(input.value, 'mine');
});

test('the echo of a key does not undo the next one, and what the analysis made of it comes after', t => {
  const { one, ui, fire, world } = page(t, '<input id="text" type="text">');
  const input = one('#text');
  ui('#text').triggerOnKeyUp();
  input.focus();
  for (const text of ['a', 'ab']) {
    input.value = text;
    fire(input, 'input');
    fire(input, 'keyup');
  }
  world.socket.say('data', { text: 'A' });
  assert.equal(input.value, 'ab');
  world.socket.say('data', { text: 'AB' });
  world.advance(1000);
  assert.equal(input.value, 'AB');
  assert.deepEqual(sent(world), [['text', 'a'], ['text', 'ab']]);
  ui('#text').triggerOnKeyUp(false);
  fire(input, 'keyup');
  assert.equal(sent(world).length, 2);
});

test('actionFormat and formatFn are applied', t => {
  const { one, ui, enter, world } = page(t, '<input id="text" type="text">');
  ui('#text').actionFormat = v => v.toUpperCase();
  ui('#text').formatFn = v => `<${v}>`;
  enter('#text', 'a');
  one('#text').blur();
  world.advance(1000);
  world.socket.say('data', { text: 'b' });
  assert.deepEqual(sent(world), [['text', 'A']]);
  assert.equal(one('#text').value, '<b>');
});

test('a slider shows its value in its label, and transforms it both ways', t => {
  const { one, ui, enter, world } = page(t, `
    <label for="a">A:</label><input type="range" id="a" min="0" max="10" value="2">
    <label>B <input type="range" name="b" min="0" max="10" value="3"></label>`);
  assert.equal(one('label').textContent, 'A: 2');
  assert.match(one('label:nth-of-type(2)').textContent, /^B 3/);
  const slider = ui('#a');
  slider.valueToSlider = v => Math.log10(v);
  slider.sliderToValue = s => 10 ** s;
  slider.formatFn = v => `${v} pieces`;
  world.socket.say('data', { a: 1000 });
  assert.equal(one('#a').value, '3');
  assert.equal(one('label').textContent, 'A: 1000 pieces');
  enter('#a', '4');
  assert.deepEqual(sent(world), [['a', 10_000]]);
});

test('a slider shows no number of its own while the analysis may yet say one', t => {
  const { one, enter, world } = page(t, `<label for="a">A:</label><input type="range" id="a">
    <label>B <input type="range" name="b"></label><label>C <input type="range" name="c"></label>`);
  const text = n => one(`label:nth-of-type(${n})`).textContent.trim();
  assert.deepEqual([text(1), text(2)], ['A: …', 'B …']);
  world.socket.say('data', { a: 7 });
  enter('[name=b]', '8');
  assert.deepEqual([text(1), text(2), text(3)], ['A: 7', 'B 8', 'C …']);
  world.socket.say('__kernel', { state: 'starting' });
  assert.equal(text(3), 'C …');
  one('[name=c]').value = '50'; // as a browser puts it
  world.socket.say('__kernel', { state: 'idle' }); // it is ready, and has no such value
  assert.equal(text(3), 'C 50');
});

test('files, hidden fields and nameless inputs stay unwired', t => {
  const { document } = page(t, `
    <input type="file" id="f"><input type="hidden" id="h"><input type="submit" id="s">
    <input type="text"><input type="text" id="x" data-skipwire="true">`);
  const wired = [...document.querySelectorAll('input')].filter(node => node.databenchUI);
  assert.deepEqual(wired, []);
});

test('a number input keeps what was typed while the analysis has the same number', t => {
  const { one, enter, world } = page(t, '<input type="number" id="n"><input id="other">');
  const typed = [['007', 7], ['1e3', 1000], ['0.10', 0.1], ['-0', -0],
    ['0.1234567890123456789', 0.1234567890123456789]];
  for (const [text, number] of typed) {
    enter('#n', text);
    one('#other').focus();
    world.advance(60_000);
    assert.equal(world.socket.actions.at(-1).load, number || 0);
    world.socket.say('data', { n: number });
    assert.equal(one('#n').value, text);
  }
  world.socket.say('data', { n: 8 });
  assert.equal(one('#n').value, '8');
  world.socket.say('data', { n: null });
  assert.equal(one('#n').value, '');
  world.socket.say('data', { n: 0 });
  assert.equal(one('#n').value, '0');
});

test('a long integer is sent with each of its digits, and stays as it was typed', t => {
  const { one, ui, enter, world } = page(t, '<input type="number" id="n"><input id="other">');
  const last = () => world.socket.texts.at(-1);
  enter('#n', '12345678901234567891');
  assert.match(last(), /"load":12345678901234567891\}$/);
  one('#other').focus();
  world.advance(60_000);
  world.socket.onmessage({ data: '{"signal":"data","load":{"n":12345678901234567891}}' });
  assert.equal(one('#n').value, '12345678901234567891');
  enter('#n', '9007199254740991');
  assert.match(last(), /"load":9007199254740991\}$/);
  ui('#n').actionFormat = value => value / 2;
  enter('#n', '18014398509481985');
  assert.match(last(), /"load":9007199254740992\}$/);
});

test('what is no number yet is not sent as nothing', t => {
  const { one, enter, fire, world } = page(t, '<input type="number" id="n">');
  enter('#n', '5');
  const count = world.socket.actions.length;
  const node = one('#n');
  let reported = 0;
  Object.defineProperty(node, 'validity', { value: { badInput: true }, configurable: true });
  node.reportValidity = () => { reported += 1; };
  node.value = '';
  fire(node, 'change');
  assert.deepEqual([world.socket.actions.length, reported], [count, 1]);
});

test('in development the page warns of a number that the browser rounds', t => {
  const { document, world } = page(t, '<div id="databench-alerts"></div>');
  const frame = '{"signal":"data","load":{"id":9007199254740993}}';
  world.socket.onmessage({ data: frame });
  assert.equal(document.querySelector('#databench-alerts').textContent.includes('9007'), false);
  document.head.innerHTML = '<meta name="databench-saves" content="0">';
  for (let i = 0; i < 3; i++) world.socket.onmessage({ data: frame });
  const told = document.querySelector('#databench-alerts').textContent;
  assert.match(told, /The number 9007199254740993 in the signal 'data' \(load\.id\) reads as 9007199254740992/);
  assert.equal(told.includes('(2)'), false);
});
