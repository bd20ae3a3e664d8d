import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bounds, durationText, parseDuration, parseRange, rangeFromUrl, rangeText, rangeToUrl, shifted, zoomedOut } from '../src/base/range';

const now = Date.parse('2026-11-20T14:32:00+01:00');
const at = (text: string) => Date.parse(text);
const parse = (text: string) => parseRange(text, now, 'local');  // the tests run in Europe/Berlin

test('durations as people type them', () => {
  for (const [text, ms] of [['30m', 1_800_000], ['1h30m', 5_400_000], ['90 s', 90_000], ['2 days', 172_800_000], ['1w', 604_800_000], ['15 min', 900_000], ['-1h', 3_600_000], ['500ms', 500]] as const) {
    assert.equal(parseDuration(text), ms, text);
  }
  for (const text of ['', 'm', '30', '30x', '5 m x', '0m', '99999999w']) assert.equal(parseDuration(text), undefined, text);
});

test('a duration is the last so long', () => {
  assert.deepEqual(parse('30m'), { kind: 'last', ms: 1_800_000 });
  assert.deepEqual(parse('last 2 hours'), { kind: 'last', ms: 7_200_000 });
  assert.deepEqual(parse(''), { kind: 'all' });
});

test('days and clocks', () => {
  assert.deepEqual(parse('yesterday 17:30'), { kind: 'fixed', from: at('2026-11-19T17:30:00+01:00'), to: undefined });
  assert.deepEqual(parse('昨天 17:30'), parse('yesterday 17:30'));
  assert.deepEqual(parse('yesterday'), { kind: 'fixed', from: at('2026-11-19T00:00:00+01:00'), to: at('2026-11-20T00:00:00+01:00') });
  assert.deepEqual(parse('17:30'), { kind: 'fixed', from: at('2026-11-19T17:30:00+01:00'), to: undefined });
  assert.deepEqual(parse('14:00'), { kind: 'fixed', from: at('2026-11-20T14:00:00+01:00'), to: undefined });
  assert.deepEqual(parse('2026-11-18'), { kind: 'fixed', from: at('2026-11-18T00:00:00+01:00'), to: at('2026-11-19T00:00:00+01:00') });
});

test('pasted times: ISO with and without a zone, epochs of every size', () => {
  const moment = at('2026-11-20T13:00:01Z');
  assert.equal((parse('2026-11-20T13:00:01Z') as any).from, moment);
  assert.equal((parse('2026-11-20 14:00:01') as any).from, moment);
  assert.equal((parse('2026-11-20T21:00:01+08:00') as any).from, moment);
  assert.equal((parse('2026-11-20T13:00:01.250000Z') as any).from, moment + 250);
  for (const text of ['1795179601', '1795179601000', '1795179601000000', '1795179601000000000']) assert.equal((parse(text) as any).from, moment, text);
});

test('two ends', () => {
  assert.deepEqual(parse('yesterday 17:30 to 18:00'), { kind: 'fixed', from: at('2026-11-19T17:30:00+01:00'), to: at('2026-11-19T18:00:00+01:00') });
  assert.deepEqual(parse('yesterday 23:30 - 00:30'), { kind: 'fixed', from: at('2026-11-19T23:30:00+01:00'), to: at('2026-11-20T00:30:00+01:00') });
  assert.deepEqual(parse('2h ago to 1h ago'), { kind: 'fixed', from: now - 7_200_000, to: now - 3_600_000 });
  assert.deepEqual(parse('2026-11-18 to 2026-11-19'), { kind: 'fixed', from: at('2026-11-18T00:00:00+01:00'), to: at('2026-11-20T00:00:00+01:00') });
  assert.deepEqual(parse('14:00 to now'), { kind: 'fixed', from: at('2026-11-20T14:00:00+01:00') });
});

test('what is no time is no range', () => {
  for (const text of ['soon', '25:00', '2026-13-01', '2026-02-30', 'yesterday at noon', '2026-11-20T99:00', 'to', '5m to 3m to 1m', '14:00 to 13:00x', '2026-11-19 to 2026-11-10', 'now to 1h ago']) {
    assert.equal(parse(text), undefined, text);
  }
});

test('a day with the change to winter time has 25 hours', () => {
  const range = parse('2026-10-25') as any;
  assert.equal(range.to - range.from, 25 * 3_600_000);
  assert.equal((parseRange('2026-10-25', now, 'utc') as any).to - (parseRange('2026-10-25', now, 'utc') as any).from, 24 * 3_600_000);
});

test('the address keeps a range', () => {
  for (const text of ['', '30m', 'yesterday', '14:00', '14:00 to 14:05', '1h30m']) {
    const range = parse(text)!;
    assert.deepEqual(bounds(rangeFromUrl(rangeToUrl(range)), now), bounds(range, now), text);
  }
  assert.deepEqual(rangeFromUrl('nonsense'), { kind: 'all' });
  assert.equal(durationText(5_400_000), '90m');
});

test('shifting and zooming', () => {
  const hour = { kind: 'fixed', from: 0, to: 3_600_000 } as const;
  assert.deepEqual(shifted(hour, 1, now), { kind: 'fixed', from: 1_800_000, to: 5_400_000 });
  assert.deepEqual(zoomedOut({ kind: 'last', ms: 60_000 }, now), { kind: 'last', ms: 120_000 });
  assert.deepEqual(zoomedOut(hour, now), { kind: 'fixed', from: -1_800_000, to: 5_400_000 });
  assert.equal(shifted({ kind: 'all' }, 1, now), undefined);
});

test('a range in words', () => {
  assert.equal(rangeText({ kind: 'last', ms: 1_800_000 }, now, 'local'), '14:02 – 14:32');
  assert.equal(rangeText({ kind: 'fixed', from: now - 86_400_000, to: now }, now, 'local'), '2026-11-19 14:32 – 2026-11-20 14:32');
  assert.equal(rangeText({ kind: 'last', ms: 1_800_000 }, now, 'utc'), '13:02 – 13:32');
});
