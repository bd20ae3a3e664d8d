// Where the bars, ticks and labels of the histogram go.
import type { Bucket } from '../api/types';
import { civil, clockText, dayText, fromCivil, msOf, type Zone } from '../base/time';

export interface Extent { from: number; to: number }

/** The time shown: the asked range, widened by nothing; without one, from the first bucket to the last. */
export function extentOf(buckets: Bucket[], step: number, from?: number, to?: number): Extent | undefined {
  if (from !== undefined && to !== undefined && to > from) return { from, to };
  if (!buckets.length || !step) return undefined;
  const first = from ?? msOf(buckets[0].start);
  const last = to ?? msOf(buckets[buckets.length - 1].start) + step;
  // A single bucket would be one wide slab: leave room around it.
  const room = last - first <= step * 4 ? step * 8 : 0;
  return { from: first - room, to: last + (room ? step : 0) };
}

export const total = (bucket: Bucket) => bucket.counts.reduce((a, b) => a + b, 0);

/** A round number at or above the greatest count: 1, 2 or 5 times a power of ten, or between for less air. */
export function niceMax(value: number): number {
  if (value <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((f) => f * power).find((v) => v >= value) ?? value;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute,
  30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 30 * day, 91 * day, 365 * day];

/** Ticks at round times of the zone, at most `most` of them. */
export function ticks(extent: Extent, most: number, zone: Zone): number[] {
  const width = extent.to - extent.from;
  const step = steps.find((s) => width / s <= most) ?? Math.ceil(width / most / (365 * day)) * 365 * day;
  const out: number[] = [];
  const c = civil(extent.from, zone);
  if (Number.isNaN(c.year)) return out;
  const midnight = fromCivil({ year: c.year, month: c.month, day: c.day }, zone);
  if (step >= day) {
    for (let i = 0, at = midnight; at <= extent.to && i < 1000; i++) {
      at = fromCivil({ year: c.year, month: c.month, day: c.day + i * Math.round(step / day) }, zone);
      if (at >= extent.from && at <= extent.to) out.push(at);
    }
    return out;
  }
  for (let at = midnight + Math.ceil((extent.from - midnight) / step) * step; at <= extent.to; at += step) out.push(at);
  return out;
}

/** The label of a tick: a day at midnight or where the whole range is days, else the clock. */
export function tickText(ms: number, extent: Extent, zone: Zone): string {
  const width = extent.to - extent.from;
  const c = civil(ms, zone);
  const text = dayText(ms, zone);
  if (width > 300 * day) return text.slice(0, 7);
  if ((c.hour === 0 && c.minute === 0 && c.second === 0 && c.ms === 0) && width > 6 * hour) return text.slice(5);
  if (width > 10 * day) return text.slice(5);
  if (width < 5000) return clockText(ms, zone) + '.' + String(c.ms).padStart(3, '0');
  return clockText(ms, zone, width < 20 * minute);
}

/** The stack from the bottom up. None and the quiet levels share the calm colours. */
export const stack: { name: string; levels: number[] }[] = [
  { name: 'none', levels: [0] }, { name: 'debug', levels: [1, 2] }, { name: 'info', levels: [3] }, { name: 'warn', levels: [4] },
  { name: 'error', levels: [5] }, { name: 'fatal', levels: [6] },
];

export interface Frame { left: number; width: number; top: number; height: number }

/** One path per level: all its bars. */
export function paths(buckets: Bucket[], step: number, extent: Extent, max: number, frame: Frame): { name: string; d: string }[] {
  const scale = frame.width / (extent.to - extent.from);
  const d = stack.map(() => '');
  for (const bucket of buckets) {
    const start = msOf(bucket.start);
    const x0 = Math.max(frame.left, frame.left + (start - extent.from) * scale);
    const x1 = Math.min(frame.left + frame.width, frame.left + (start + step - extent.from) * scale);
    const gap = x1 - x0 > 4 ? 1.4 : x1 - x0 > 2 ? 0.6 : 0;
    if (x1 - x0 <= 0) continue;
    let y = frame.top + frame.height;
    stack.forEach((part, i) => {
      const n = part.levels.reduce((sum, level) => sum + (bucket.counts[level] ?? 0), 0);
      if (!n) return;
      const h = Math.max(1, n / max * frame.height);  // even one error among millions is seen
      d[i] += `M${x0.toFixed(1)} ${y.toFixed(1)}v${(-h).toFixed(1)}h${Math.max(0.8, x1 - x0 - gap).toFixed(1)}v${h.toFixed(1)}z`;
      y -= h;
    });
  }
  return stack.map((part, i) => ({ name: part.name, d: d[i] }));
}
