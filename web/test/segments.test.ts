import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cut, firstLine, nearest, segments, stampLength, visible } from '../src/text/segments';

const texts = (text: string) => segments(text).map((s) => s.text);
const plain = (text: string) => texts(text).join('');

test('ordinary text of any script is one untouched segment', () => {
  for (const text of ['hello', 'tab\tand spaces  ', '支付 超时', 'مرحبا', 'emoji 👩‍💻 zwj', 'a\nb', '<script>alert(1)</script>', '&lt;']) {
    assert.deepEqual(segments(text), [{ text, kind: 'text', style: '', mark: 0 }]);
  }
});

test('control characters are shown as escapes', () => {
  assert.deepEqual(texts('a\u0007b\u0001c\u001bd\u007fe\u009bf'), ['a', '\\a', 'b', '\\x01', 'c', '\\e', 'd', '\\x7f', 'e', '\\x9b', 'f']);
});

test('bidi and invisible characters never reach the screen', () => {
  for (const code of [0x200b, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0x61c, 0x2028, 0x2029, 0x2060, 0xad, 0xe0041]) {
    const character = String.fromCodePoint(code);
    const shown = plain(`a${character}b`);
    assert.ok(!shown.includes(character), code.toString(16));
    assert.match(shown, /^a\\(x|u)/);
  }
});

test('a byte order mark at the start is hidden, elsewhere it is shown', () => {
  assert.equal(plain('\ufeffabc'), 'abc');
  assert.equal(plain('ab\ufeffc'), 'ab\\ufeffc');
});

test('a trailing CR is hidden, a lone one inside is shown, CRLF is a line end', () => {
  assert.equal(plain('abc\r'), 'abc');
  assert.equal(plain('a\rb'), 'a\\rb');
  assert.equal(plain('a\r\nb'), 'a\nb');
});

test('a run of NUL is counted', () => {
  assert.equal(plain('a' + '\0'.repeat(4096) + 'b'), 'a4096 zero bytesb');
  assert.equal(plain('a\0b'), 'a\\0b');
});

test('lone surrogates are shown, pairs are kept', () => {
  assert.equal(plain('a\ud800b'), 'a\\ud800b');
  assert.equal(plain('a\udfffb'), 'a\\udfffb');
  assert.equal(plain('a😀b'), 'a😀b');
});

test('ANSI colours become styles and nothing else remains of them', () => {
  assert.deepEqual(segments('\u001b[31mred\u001b[0m plain \u001b[1;92mbold\u001b[m.').map((s) => [s.text, s.style]),
    [['red', 'fg-1'], [' plain ', ''], ['bold', 'fg-10 bold'], ['.', '']]);
});

test('256 colours and true colours are mapped to the readable sixteen', () => {
  assert.equal(segments('\u001b[38;5;196mx')[0].style, 'fg-9');
  assert.equal(segments('\u001b[38;2;0;0;200mx')[0].style, 'fg-4');
  assert.equal(segments('\u001b[38:5:2mx')[0].style, 'fg-2');
  assert.equal(nearest(255, 255, 255), 15);
  assert.equal(nearest(0, 0, 0), 0);
});

test('odd or endless ANSI parameters do no harm', () => {
  for (const code of ['38', '38;5', '38;2;1', '48;5;999', ';;;;', '999999999999', '38;5;;1', '1:2:3:4']) {
    assert.equal(plain(`\u001b[${code}mx`), 'x');
    assert.match(segments(`\u001b[${code}mx`)[0].style, /^[a-z0-9 -]*$/);
  }
});

test('other escape sequences are shown, not obeyed', () => {
  assert.equal(plain('\u001b[2J\u001b]0;title\u0007'), '\\e[2J\\e]0;title\\a');
});

const mark = (source: string, number = 1) => ({ pattern: new RegExp(source, 'giu'), number });

test('marks cover the found words, also over a colour change', () => {
  assert.deepEqual(segments('a timeout b', [mark('timeout')]).map((s) => [s.text, s.mark]), [['a ', 0], ['timeout', 1], [' b', 0]]);
  assert.deepEqual(segments('time\u001b[31mout\u001b[0m!', [mark('timeout')]).map((s) => [s.text, s.mark, s.style]),
    [['time', 1, ''], ['out', 1, 'fg-1'], ['!', 0, '']]);
});

test('marks never overlap and never lose text', () => {
  const text = 'aaaa bbb aaab abab';
  const found = segments(text, [mark('aa'), mark('ab', 2), mark('b', 3), mark('a{0}')]);
  assert.equal(found.map((s) => s.text).join(''), text);
});

test('any text with any marks keeps every ordinary character in order', () => {
  let seed = 1;
  const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  const parts = ['a', 'b', ' ', '\u001b[31m', '\u001b[0m', '\u202e', 'ab', '支', '\0', '\0\0', '\r\n', '\ud800', '😀'];
  for (let i = 0; i < 2000; i++) {
    const text = Array.from({ length: random(12) }, () => parts[random(parts.length)]).join('');
    const without = segments(text).map((s) => s.text).join('');
    const withMarks = segments(text, [mark('ab'), mark('支a?', 2), mark('b ', 3)]).map((s) => s.text).join('');
    assert.equal(withMarks, without, JSON.stringify(text));
  }
});

test('cutting never splits a pair', () => {
  assert.equal(cut('abcdef', 3), 'abc');
  assert.equal(cut('ab😀', 3), 'ab');
  assert.equal(cut('ab', 3), 'ab');
});

test('the first line of a record and how many follow', () => {
  assert.deepEqual(firstLine('one', 1), { line: 'one', more: 0 });
  assert.deepEqual(firstLine('one\n\ttwo\n\tthree', 3), { line: 'one', more: 2 });
});

test('names become safe to show in one line', () => {
  assert.equal(visible('a"b\nc\u202e<b>'), 'a"b\\nc\\u202e<b>');
});

test('leading time stamps are found', () => {
  for (const stamp of ['2026-11-20 14:31:58.204 ', '2026-11-20T14:31:58.204Z ', '2026-11-20T14:31:58+08:00 ', '2026/11/20 14:31:58 ', 'Nov  9 14:31:58 ', '[2026-11-20 14:31:58,123] ']) {
    assert.equal(stampLength(stamp + 'message'), stamp.length, stamp);
  }
  for (const line of ['message', '2026-11-20', '2026-11-20 14:31:58', 'x 2026-11-20 14:31:58 y', '12345']) assert.equal(stampLength(line), 0, line);
});
