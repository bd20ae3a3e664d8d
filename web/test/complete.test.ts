import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completed, namesFor, placeAt } from '../src/logs/complete';
import { shellQuote } from '../src/logs/shell';

const place = (text: string) => placeAt(text, text.length);

test('a word is the beginning of a field, behind a colon of a value', () => {
  assert.deepEqual(place('ho'), { kind: 'field', field: '', typed: 'ho', start: 0, end: 2 });
  assert.deepEqual(place('timeout -ho'), { kind: 'field', field: '', typed: 'ho', start: 9, end: 11 });
  assert.deepEqual(place('a host:'), { kind: 'value', field: 'host', typed: '', start: 7, end: 7 });
  assert.deepEqual(place('(-host:we'), { kind: 'value', field: 'host', typed: 'we', start: 7, end: 9 });
  assert.deepEqual(place('file:"/a b'), { kind: 'value', field: 'file', typed: '/a b', start: 5, end: 10 });
  assert.equal(place(''), undefined);
  assert.equal(place('word '), undefined);
  assert.equal(place('"in a phrase'), undefined);
});

test('a choice takes the place of what was typed', () => {
  assert.deepEqual(completed('x ho', place('x ho')!, 'host'), { text: 'x host:', cursor: 7 });
  assert.deepEqual(completed('host:we y', placeAt('host:we y', 7)!, 'web-01'), { text: 'host:web-01 y', cursor: 12 });
  assert.deepEqual(completed('file:"/a', place('file:"/a')!, '/a b'), { text: 'file:"/a b" ', cursor: 12 });
});

test('names that begin so come first', () => {
  assert.deepEqual(namesFor('st', ['cost', 'status', 'stack']), ['status', 'stack', 'cost']);
  assert.deepEqual(namesFor('level', ['level']), []);
});

test('a query is safe in a shell', () => {
  assert.equal(shellQuote('timeout'), 'timeout');
  assert.equal(shellQuote(`it's $HOME \`x\``), `'it'\\''s $HOME \`x\`'`);
  assert.equal(shellQuote(''), `''`);
});
