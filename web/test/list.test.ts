import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../src/api/types';
import { RowBuffer } from '../src/list/row_buffer';
import { isAtEnd, scrollToShow, windowOf } from '../src/list/virtual';
import { extentOf, niceMax, paths, ticks, tickText } from '../src/logs/histogram_math';

const row = (n: number, ms = 1_800_000_000_000 + n) => ({ id: 'r' + n, cursor: 'c' + n, time: String(ms) + '000000' }) as Row;
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => row(from + i));

test('the window holds what is in view and a few around it', () => {
  assert.deepEqual(windowOf(0, 220, 22, 100_000, 5), { start: 0, end: 15 });
  assert.deepEqual(windowOf(2200, 220, 22, 100_000, 5), { start: 95, end: 115 });
  assert.deepEqual(windowOf(2211, 220, 22, 100_000, 0), { start: 100, end: 111 });
  assert.deepEqual(windowOf(2_200_000 - 220, 220, 22, 100_000, 5), { start: 99_985, end: 100_000 });
  assert.deepEqual(windowOf(-50, 220, 22, 3, 5), { start: 0, end: 3 });
  assert.deepEqual(windowOf(5000, 220, 22, 0, 5), { start: 0, end: 0 });
  assert.deepEqual(windowOf(9e9, 220, 22, 10, 5), { start: 10, end: 10 });
});

test('every row in view is in the window, wherever it is scrolled', () => {
  for (let top = 0; top < 22 * 40; top += 7) {
    const { start, end } = windowOf(top, 150, 22, 50, 3);
    assert.ok(start * 22 <= top);
    assert.ok(end * 22 >= Math.min(top + 150, 50 * 22));
    assert.ok(end - start <= Math.ceil(150 / 22) + 1 + 6);
  }
});

test('showing a row moves no more than needed', () => {
  assert.equal(scrollToShow(5, 0, 220, 22, 100), 0);
  assert.equal(scrollToShow(50, 0, 220, 22, 100), (50 + 2) * 22 - 220);
  assert.equal(scrollToShow(0, 500, 220, 22, 100), 0);
  assert.equal(scrollToShow(99, 0, 220, 22, 100), 100 * 22 - 220);
  assert.equal(scrollToShow(1, 0, 10, 22, 2), 22 * 2 - 10, 'a view lower than a row');
});

test('the end is seen', () => {
  assert.ok(isAtEnd(0, 500, 22, 3));
  assert.ok(isAtEnd(2200 - 220, 220, 22, 100));
  assert.ok(!isAtEnd(2200 - 260, 220, 22, 100));
});

test('older pages come in front, new rows behind, none twice', () => {
  const buffer = new RowBuffer(100);
  assert.equal(buffer.prepend([row(12), row(11), row(10)]), 3);
  assert.deepEqual(buffer.append([row(12), row(13)]), { added: 1, removed: 0 });
  assert.equal(buffer.prepend([row(10), row(9), row(8)]), 2);
  assert.deepEqual(buffer.rows.map((r) => r.id), ['r8', 'r9', 'r10', 'r11', 'r12', 'r13']);
  assert.equal(buffer.indexOf('r13'), 5);
  assert.equal(buffer.indexOf('r99'), -1);
});

test('live rows of several files find their place by time, late ones stay at the end', () => {
  const buffer = new RowBuffer(100);
  const at = (n: number, ms: number) => row(n, 1_800_000_000_000 + ms);
  buffer.append([at(1, 1000), at(2, 3000), at(3, 2000)]);
  buffer.append([at(4, 2500), at(5, 2500), at(6, -60_000), at(7, 4000)]);
  assert.deepEqual(buffer.rows.map((r) => r.id), ['r1', 'r3', 'r4', 'r5', 'r2', 'r6', 'r7']);
});

test('memory is bounded: beyond the capacity the oldest go while live', () => {
  const buffer = new RowBuffer(1000);
  let removed = 0;
  for (let i = 0; i < 100; i++) removed += buffer.append(range(i * 100, i * 100 + 100)).removed;
  assert.ok(buffer.length <= 1100);
  assert.equal(buffer.length + removed, 10_000);
  assert.equal(buffer.rows[buffer.length - 1].id, 'r9999');
  assert.equal(buffer.indexOf('r0'), -1);
  buffer.append(range(20_000, 25_000));
  assert.equal(buffer.length, 1000);
});

test('memory is bounded: long rows count by their characters', () => {
  const buffer = new RowBuffer(100_000, 1_000_000);
  const long = (n: number) => ({ ...row(n), text: 'x'.repeat(4096) });
  for (let i = 0; i < 1000; i += 50) buffer.append(Array.from({ length: 50 }, (_, k) => long(i + k)));
  assert.ok(buffer.length * 4396 <= 1_000_000, String(buffer.length));
  assert.ok(buffer.length * 4396 > 800_000, String(buffer.length));
  assert.equal(buffer.rows[buffer.length - 1].id, 'r999');
  assert.ok(!buffer.full);
  buffer.prepend(Array.from({ length: 50 }, (_, k) => long(2000 + k)));
  assert.ok(buffer.full);
});

const bucket = (start: number, ...counts: number[]) => ({ start: String(BigInt(start) * 1000000n), counts });

test('the histogram shows the asked range, else the data', () => {
  assert.deepEqual(extentOf([], 1000, 0, 10_000), { from: 0, to: 10_000 });
  assert.equal(extentOf([], 1000), undefined);
  assert.deepEqual(extentOf([bucket(0, 1), bucket(50_000, 1)], 1000), { from: 0, to: 51_000 });
  const single = extentOf([bucket(5000, 1)], 1000)!;
  assert.ok(single.from < 5000 && single.to > 6000);
});

test('bars stack by level, and one error among millions is seen', () => {
  const frame = { left: 0, width: 100, top: 0, height: 50 };
  const list = paths([bucket(0, 0, 0, 0, 1_000_000, 0, 1, 0)], 1000, { from: 0, to: 10_000 }, 1_000_001, frame);
  assert.match(list.find((p) => p.name === 'info')!.d, /^M0\.0 50\.0v-50\.0/);
  assert.match(list.find((p) => p.name === 'error')!.d, /v-1\.0/);
  assert.equal(list.find((p) => p.name === 'warn')!.d, '');
  assert.equal(paths([bucket(90_000, 1)], 1000, { from: 0, to: 10_000 }, 1, frame)[0].d, '', 'a bucket outside is not drawn');
});

test('ticks stand at round times of the zone and are not too many', () => {
  const from = Date.parse('2026-11-20T14:02:00+01:00');
  const list = ticks({ from, to: from + 1_800_000 }, 8, 'local');
  assert.deepEqual(list.map((ms) => tickText(ms, { from, to: from + 1_800_000 }, 'local')), ['14:05', '14:10', '14:15', '14:20', '14:25', '14:30']);
  const spring = Date.parse('2026-03-28T00:00:00+01:00');
  const days = ticks({ from: spring, to: spring + 4 * 86_400_000 }, 5, 'local');
  assert.deepEqual(days.map((ms) => new Date(ms).getHours()), days.map(() => 0));
  for (const width of [10, 5000, 60_000, 3.6e6, 8.64e7, 3e9, 3e10, 3e11]) assert.ok(ticks({ from, to: from + width }, 10, 'utc').length <= 11, String(width));
});

test('the axis ends at a round number at or above the greatest', () => {
  for (const n of [1, 3, 5, 17, 99, 100, 101, 4321, 9.9e6]) assert.ok(niceMax(n) >= n && niceMax(n) <= Math.max(4, n * 2.5), String(n));
});
