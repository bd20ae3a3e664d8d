import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasTerm, marksOf, quoteValue, terms, tokens, withFilter } from '../src/text/query_words';

const marked = (query: string, text: string, plain = false) => marksOf(query, plain).flatMap(({ pattern }) => [...text.matchAll(pattern)].map((m) => m[0]));

test('the tokens of a query are its text', () => {
  for (const query of ['', 'a b', 'level:error -path:/healthz "a b" (x OR y) /re\\/x/i ~"re" status:>=500 d:[1 TO 2] broken " quote', ':::', '((', '支付 超时']) {
    assert.equal(tokens(query).map((t) => t.text).join(''), query);
  }
});

test('kinds are told apart', () => {
  const kinds = tokens('timeout service:pay -"a b" OR /x/i').filter((t) => t.kind !== 'space').map((t) => t.kind);
  assert.deepEqual(kinds, ['word', 'field', 'value', 'operator', 'phrase', 'operator', 'regex']);
});

test('searched words are marked at token boundaries, without case', () => {
  assert.deepEqual(marked('timeout', 'Timeout timeouts x_timeout timeout.'), ['Timeout', 'timeout']);
  assert.deepEqual(marked('"connection refused"', 'Connection refused'), ['Connection refused']);
  assert.deepEqual(marked('conn*', 'connection disconnect'), ['conn']);
  assert.deepEqual(marked('*nnect*', 'disconnect'), ['nnect']);
  assert.deepEqual(marked('支付', '等待支付网关'), ['支付']);
  assert.deepEqual(marked('=Timeout', 'Timeout timeout'), ['Timeout']);
  assert.deepEqual(marked('="Conn ref"', 'Conn ref conn ref'), ['Conn ref']);
  assert.deepEqual(marked('/var/log/syslog', 'in /var/log/syslog or /var/log/syslog2'), ['/var/log/syslog']);
  assert.deepEqual(marked('~"a.c"i', 'ABC abc'), ['ABC', 'abc']);
  assert.deepEqual(marked('/time(out|d)/', 'timeout timed Timed'), ['timeout', 'timed']);
});

test('a query searched as plain text marks its words with their signs', () => {
  assert.deepEqual(marked('(timeout "x', 'timeout (timeout "x', true), ['(timeout', '"x']);
});

test('what is excluded or bound to a field is not marked', () => {
  assert.deepEqual(marked('-timeout NOT refused level:error', 'timeout refused error'), []);
});

test('patterns that could run away are not marked', () => {
  assert.deepEqual(marksOf('/(a+)+b/'), []);
  assert.deepEqual(marksOf('~"(x|y)*z"'), []);
  assert.deepEqual(marksOf('/[/'), []);
});

test('values are quoted where they must be', () => {
  assert.equal(quoteValue('web-01'), 'web-01');
  assert.equal(quoteValue('/var/log/a b.log'), '"/var/log/a b.log"');
  assert.equal(quoteValue('a"b\\c'), '"a\\"b\\\\c"');
  assert.equal(quoteValue('OR'), '"OR"');
});

test('a value is kept, dropped and taken back', () => {
  assert.equal(withFilter('', 'level', 'error', true), 'level:error');
  assert.equal(withFilter('timeout', 'level', 'error', false), 'timeout -level:error');
  assert.equal(withFilter('timeout -level:error', 'level', 'error', true), 'timeout level:error');
  assert.equal(withFilter('timeout level:error', 'level', 'error', true), 'timeout');
  assert.equal(withFilter('a OR b', 'host', 'x', true), '(a OR b) host:x');
  assert.equal(withFilter('', 'file', '/a b', true), 'file:"/a b"');
  assert.ok(hasTerm('x file:"/a b"', 'file', '/a b'));
  assert.ok(!hasTerm('x -level:error', 'level', 'error'));
});

test('terms keep parentheses and quotes whole', () => {
  assert.deepEqual(terms('a (b OR c) -d:"e f" "g h"'), ['a', '(b OR c)', '-d:"e f"', '"g h"']);
});
