import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LineSplitter } from '../src/api/ndjson';
import { short, size, span, t } from '../src/base/i18n';
import { lang } from '../src/base/prefs';
import { compareNs, fullTime, isoTime, msOf, nsOf, rowTime } from '../src/base/time';
import { fromHash, kStart, toHash } from '../src/base/url_state';
import en from '../src/locale/en.json';
import zh from '../src/locale/zh.json';
import { parseRowId } from '../src/logs/row_id';
import { tokenOf } from '../src/pages/sign_in';

declare const WEB_ROOT: string;

test('nanoseconds are exact and of any size', () => {
  assert.equal(fullTime('1795181518204117042', 'utc'), '2026-11-20 13:31:58.204117042 Z');
  assert.equal(fullTime('1795181518204117000', 'utc'), '2026-11-20 13:31:58.204117 Z');
  assert.equal(fullTime('1795181518000000000', 'local'), '2026-11-20 14:31:58.000 +01:00');
  assert.equal(isoTime('1795181518204117042', 'utc'), '2026-11-20T13:31:58.204117042Z');
  assert.equal(rowTime('1795181518204999999', 'local', false), '14:31:58.204');
  assert.equal(rowTime('1795181518204999999', 'utc', true), '11-20 13:31:58.204');
  assert.equal(fullTime('-1', 'utc'), '1969-12-31 23:59:59.999999999 Z');
  assert.equal(msOf('-1'), -1);
  assert.equal(msOf('0'), 0);
  assert.equal(nsOf(1795181518204), '1795181518204000000');
  assert.equal(rowTime('9223372036854775807', 'utc', true).length, 18);
  assert.equal(rowTime('no time', 'utc', true), 'no time');
});

test('times are ordered to the last digit', () => {
  const sorted = ['-20', '-3', '0', '5', '1795181518204117041', '1795181518204117042'];
  for (const a of sorted) for (const b of sorted) assert.equal(Math.sign(compareNs(a, b)), Math.sign(sorted.indexOf(a) - sorted.indexOf(b)), `${a} ${b}`);
});

test('a stream is cut into lines whatever the chunks, characters kept whole', () => {
  const bytes = new TextEncoder().encode('{"a":"支付😀"}\n\n{"b":1}\n{"c":"x');
  for (let width = 1; width < bytes.length; width++) {
    const splitter = new LineSplitter();
    const lines: string[] = [];
    for (let i = 0; i < bytes.length; i += width) lines.push(...splitter.push(bytes.subarray(i, i + width)));
    lines.push(...splitter.end());
    assert.deepEqual(lines, ['{"a":"支付😀"}', '{"b":1}', '{"c":"x']);
  }
});

test('the address keeps the whole view', () => {
  const view = { page: 'logs', query: 'a&b=#"c" 支', range: { kind: 'last', ms: 1_800_000 }, live: false, zone: 'utc', open: 'ab.0.12', host: '' } as const;
  assert.deepEqual(fromHash(toHash(view)), view);
  const host = { ...kStart, page: 'fleet', host: 'ab' } as const;
  assert.deepEqual(fromHash(toHash(host)), host);
  assert.deepEqual(fromHash(''), kStart);
  assert.deepEqual(fromHash('#/nothing?q=a?b'), { ...kStart, query: 'a?b' });
  assert.equal(fromHash('#/logs?q=%').query, '%');
});

test('numbers and sizes for reading', () => {
  lang.value = 'en';
  assert.deepEqual([999, 9999, 12_345, 999_999, 41_700_000, 2e9].map(short), ['999', '9,999', '12.3 k', '1 M', '41.7 M', '2 G']);
  assert.deepEqual([12, 1500, 212_000_000, 1.5e9].map(size), ['12 B', '1.5 kB', '212 MB', '1.5 GB']);
  assert.deepEqual([0.2, 38, 1400, 90_000, 3_600_000 * 3 + 60_000 * 20, 86_400_000 * 4].map(span), ['<1 ms', '38 ms', '1.4 s', '2 min', '3 h 20 min', '4 d']);
  assert.equal(t('live.pending', { n: 1240 }), '1,240 new lines');
  lang.value = 'zh';
  assert.deepEqual([9999, 12_345, 3e8].map(short), ['9,999', '1.2 万', '3 亿']);
  lang.value = 'en';
  assert.equal(t('live.pending', { n: 1 }), '1 new line');
});

test('both languages have the same keys and the same places', () => {
  assert.deepEqual(Object.keys(zh).sort(), Object.keys(en).sort());
  const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort().join();
  for (const [key, text] of Object.entries(en)) {
    assert.equal(places((zh as Record<string, string>)[key]), places(text), key);
    assert.notEqual(text, '', key);
  }
});

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? sources(path) : /\.tsx?$/.test(name) ? [readFileSync(path, 'utf8')] : [];
  });
}

test('every text is used, and every used text is there', () => {
  const code = sources(join(WEB_ROOT, 'src')).join('\n');
  const prefixes = [...code.matchAll(/t\(`([\w.]+)\$\{/g)].map((match) => match[1]).concat('nav.');
  for (const key of Object.keys(en)) {
    const base = key.replace(/_1$/, '');
    assert.ok(code.includes(`'${base}'`) || prefixes.some((prefix) => base.startsWith(prefix)), `unused: ${key}`);
  }
  for (const [, key] of code.matchAll(/\bt\('([\w.]+)'/g)) assert.ok(key in en, `missing: ${key}`);
});

test('nothing makes HTML of text, sets inline handlers or evaluates code', () => {
  const code = sources(join(WEB_ROOT, 'src')).join('\n');
  assert.doesNotMatch(code, /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySet|document\.write|\beval\(|new Function|srcdoc/);
});

test('row ids', () => {
  assert.deepEqual(parseRowId('4f0c.2.81920'), { source: '4f0c', epoch: 2, offset: 81920, topic: 'logs' });
  assert.deepEqual(parseRowId('4f0c.0.1.web.log'), { source: '4f0c', epoch: 0, offset: 1, topic: 'web.log' });
  for (const id of ['', 'x', '../a', '4f0c.0', '4f0c.-1.2', 'zz.0.0']) assert.equal(parseRowId(id), undefined, id);
});

test('the token of what was pasted', () => {
  assert.equal(tokenOf(' http://127.0.0.1:7117/signin?token=abc-DEF_123 '), 'abc-DEF_123');
  assert.equal(tokenOf('abcdefghijklmnop'), 'abcdefghijklmnop');
  for (const text of ['', 'hello', 'http://x/', 'javascript:alert(1)', 'http://x/?token=%']) assert.equal(tokenOf(text), undefined, text);
});
