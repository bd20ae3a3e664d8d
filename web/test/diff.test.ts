import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diff, excerpt } from '../src/text/diff';

const shown = (before: string, after: string) => diff(before, after).map((line) => ({ same: ' ', removed: '-', added: '+' })[line.kind] + line.text).join('\n');
const apply = (before: string, after: string, kinds: string[]) => diff(before, after).filter((line) => kinds.includes(line.kind)).map((line) => line.text + '\n').join('');

test('a diff keeps what is common and shows the rest', () => {
  assert.equal(shown('a\nb\nc\n', 'a\nx\nc\nd\n'), ' a\n-b\n+x\n c\n+d');
  assert.equal(shown('', 'a\n'), '+a');
  assert.equal(shown('a\n', ''), '-a');
  assert.equal(shown('a\nb\n', 'a\nb\n'), ' a\n b');
});

test('both texts can be read out of every diff', () => {
  let seed = 7;
  const random = (n: number) => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % n; };
  for (let round = 0; round < 300; round++) {
    const make = () => Array.from({ length: random(12) }, () => `${random(4)}\n`).join('');
    const [before, after] = [make(), make()];
    assert.equal(apply(before, after, ['same', 'removed']), before);
    assert.equal(apply(before, after, ['same', 'added']), after);
  }
});

test('texts too large for the table are still told apart', () => {
  const many = (word: string) => Array.from({ length: 3000 }, (_, i) => `${word}${i}\n`).join('');
  const lines = diff(`head\n${many('a')}tail\n`, `head\n${many('b')}tail\n`);
  assert.equal(lines.length, 6002);
  assert.deepEqual([lines[0], lines[6001]], [{ kind: 'same', text: 'head' }, { kind: 'same', text: 'tail' }]);
});

test('an excerpt leaves out what is far from any change', () => {
  const lines = diff('1\n2\n3\n4\n5\n6\n7\n', '1\n2\n3\nx\n5\n6\n7\n');
  assert.deepEqual(excerpt(lines, 1).map((line) => line?.text), [undefined, '3', '4', 'x', '5', undefined]);
});
