import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { linkOf, sessionIn, withoutSession } = await load('sessionlink.ts');

test('the session of an address is found, and nothing that only looks like it', () => {
  assert.equal(sessionIn('?a=1&session=x%2By'), 'x+y');
  assert.equal(sessionIn('?session='), null);
  assert.equal(sessionIn('?sessions=x'), null);
  assert.equal(sessionIn(''), null);
});

test('what is left of a query stays as it was written', () => {
  assert.equal(withoutSession('?a=%41&session=x&b=1+2&a=3'), '?a=%41&b=1+2&a=3');
  assert.equal(withoutSession('?sessions=x'), '?sessions=x');
  assert.equal(withoutSession('?session=x'), '');
  assert.equal(withoutSession('?session'), '');
  assert.equal(withoutSession(''), '');
});

test('a link names one session, the given one', () => {
  const at = search => ({ origin: 'http://h', pathname: '/pi/', search });
  assert.equal(linkOf('n/w', at('')), 'http://h/pi/?session=n%2Fw');
  assert.equal(linkOf('new', at('?a=1&session=old')), 'http://h/pi/?a=1&session=new');
});
