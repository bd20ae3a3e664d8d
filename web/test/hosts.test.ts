import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathOf, stepFor, sumOf, topOf, valueAt, type Line } from '../src/hosts/chart_math';
import { exactly, inOrder, valueText } from '../src/hosts/host_data';

const line = (points: [number, number][]): Line => ({ name: 'x', times: points.map(([ms]) => ms), values: points.map(([, v]) => v) });
const extent = { from: 0, to: 100 };
const box = { left: 0, top: 0, width: 100, height: 10 };

test('the step is the least usual one that gives few enough points', () => {
  assert.equal(stepFor({ from: 0, to: 3_600_000 }, 300), 15);
  assert.equal(stepFor({ from: 0, to: 3_600_000 }, 60), 60);
  assert.equal(stepFor({ from: 0, to: 10 }, 300), 1);
  assert.equal(stepFor({ from: 0, to: 366 * 86_400_000 }, 300), 172_800);
});

test('a line is broken where samples are missing, and a lone point is a dot', () => {
  assert.equal(pathOf(line([[0, 0], [10, 5], [50, 10]]), extent, 10, box, 20), 'M0.0 10.0L10.0 5.0M50.0 0.0h.1');
  assert.equal(pathOf(line([[0, 5], [10, 5], [60, 5]]), extent, 10, box, 20, true),
    'M0.0 5.0L10.0 5.0L10.0 10.0L0.0 10.0ZM60.0 5.0L60.0 10.0L60.0 10.0Z');
  assert.equal(pathOf(line([[-5, 1], [200, 1]]), extent, 10, box, 20), '');
});

test('the top of a chart is round, and never nothing', () => {
  assert.equal(topOf([line([[0, 0.3]])], 0), 0.3);
  assert.equal(topOf([line([[0, 0.31]])], 0), 0.4);
  assert.equal(topOf([line([[0, 118e6]])], 0), 150e6);
  assert.equal(topOf([line([[0, 12]])], 100), 100);
  assert.equal(topOf([], 0), 1);
});

test('the cursor finds the nearest point within reach', () => {
  const l = line([[0, 1], [10, 2], [50, 3]]);
  assert.equal(valueAt(l, 6, 20), 2);
  assert.equal(valueAt(l, 4, 20), 1);
  assert.equal(valueAt(l, 30, 10), undefined);
  assert.equal(valueAt(l, 99, 20), undefined);
  assert.equal(valueAt(line([]), 1, 5), undefined);
});

test('lines are summed by time', () => {
  assert.deepEqual(sumOf('s', [line([[0, 1], [10, 2]]), line([[10, 5], [20, 1]])]), { name: 's', times: [0, 10, 20], values: [1, 7, 1] });
});

test('values read as people write them', () => {
  assert.equal(valueText(3.14159, 'percent'), '3.1 %');
  assert.equal(valueText(41_200_000_000, 'bytes'), '41 GB');
  assert.equal(valueText(1_500_000, 'rate'), '1.5 MB/s');
  assert.equal(valueText(0.256, 'number'), '0.26');
  assert.equal(exactly('a,b\\c'), 'a\\,b\\\\c');
});

test('lines stand in the order of the fields that were asked for', () => {
  const named = (field: string) => ({ host: '', field, tags: {}, times: [], values: [] });
  assert.deepEqual(inOrder([named('iowait'), named('system'), named('user')], 'user,system,iowait').map((l) => l.field), ['user', 'system', 'iowait']);
});
