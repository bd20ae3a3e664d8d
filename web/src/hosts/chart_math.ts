// Where the lines, ticks and values of a chart go. Pure.
import type { MetricLine } from '../api/types';
import { niceMax } from '../logs/histogram_math';
import { msOf } from '../base/time';

export interface Line { name: string; times: number[]; values: number[] }
export interface Extent { from: number; to: number }
export interface Box { left: number; top: number; width: number; height: number }

const steps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** The least usual step, in seconds, that gives at most so many points. */
export function stepFor(extent: Extent, points: number): number {
  const least = (extent.to - extent.from) / 1000 / points;
  return steps.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400;
}

export function lineOf(line: MetricLine, name: string): Line {
  return { name, times: line.times.map(msOf), values: line.values.map(Number) };
}

/** A round number at or above every value; at least `least`. */
export function topOf(lines: Line[], least: number): number {
  let top = least;
  for (const line of lines) for (const value of line.values) if (value > top) top = value;
  return top <= 0 ? 1 : niceTop(top);
}

function niceTop(value: number): number {
  if (value > 4) return niceMax(value);
  const scale = 10 ** (1 - Math.floor(Math.log10(value)));
  return niceMax(value * scale) / scale;
}

/** The path of a line; what lies more than `gap` milliseconds apart is not joined. `closed`: down to the ground, to be filled. */
export function pathOf(line: Line, extent: Extent, top: number, box: Box, gap: number, closed = false): string {
  const x = (ms: number) => (box.left + (ms - extent.from) / (extent.to - extent.from) * box.width).toFixed(1);
  const ground = (box.top + box.height).toFixed(1);
  const y = (value: number) => (box.top + box.height * (1 - Math.max(0, Math.min(1, value / top)))).toFixed(1);
  let d = '';
  let open = -1;
  line.times.forEach((ms, i) => {
    if (ms < extent.from || ms > extent.to) return;
    const joined = open >= 0 && ms - line.times[i - 1] <= gap;
    if (!joined && open >= 0 && closed) d += `L${x(line.times[i - 1])} ${ground}L${x(line.times[open])} ${ground}Z`;
    if (!joined) open = i;
    d += `${joined ? 'L' : 'M'}${x(ms)} ${y(line.values[i])}`;
    // A point alone is seen as a dot.
    if (!joined && !closed && !(line.times[i + 1] - ms <= gap)) d += 'h.1';
    if (closed && i === line.times.length - 1) d += `L${x(ms)} ${ground}L${x(line.times[open])} ${ground}Z`;
  });
  return d;
}

/** The value of the point that stands at `ms`, or undefined where the nearest is further than `reach`. */
export function valueAt(line: Line, ms: number, reach: number): number | undefined {
  let low = 0;
  let high = line.times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (line.times[middle] < ms) low = middle + 1; else high = middle;
  }
  const near = [low - 1, low].filter((i) => i >= 0 && i < line.times.length && Math.abs(line.times[i] - ms) <= reach)
    .sort((a, b) => Math.abs(line.times[a] - ms) - Math.abs(line.times[b] - ms))[0];
  return near === undefined ? undefined : line.values[near];
}

/** One line from several: their sum at each time. */
export function sumOf(name: string, lines: Line[]): Line {
  const at = new Map<number, number>();
  for (const line of lines) line.times.forEach((ms, i) => at.set(ms, (at.get(ms) ?? 0) + line.values[i]));
  const times = [...at.keys()].sort((a, b) => a - b);
  return { name, times, values: times.map((ms) => at.get(ms)!) };
}
