// The time range: what people type, what stands in the URL, and the bounds a request needs.
import { civil, clockText, dayText, fromCivil, type Zone } from './time';

/** Everything; the last so many milliseconds; or fixed bounds in milliseconds (`to` left out: until now). */
export type Range = { kind: 'all' } | { kind: 'last'; ms: number } | { kind: 'fixed'; from: number; to?: number };

export const kAll: Range = { kind: 'all' };
const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
export const presets = ['5m', '15m', '30m', '1h', '3h', '12h', '1d', '2d', '7d', '30d'];
const dayMs = units.d;

export interface Bounds { from?: number; to?: number }

export function bounds(range: Range, now: number): Bounds {
  if (range.kind === 'all') return {};
  if (range.kind === 'last') return { from: now - range.ms };
  return { from: range.from, to: range.to };
}

/** Whether new lines can fall into the range. */
export const endsNow = (range: Range) => range.kind !== 'fixed' || range.to === undefined;

export function parseDuration(text: string): number | undefined {
  const compact = text.trim().toLowerCase().replace(/^-/, '')
    .replace(/\s*(milliseconds?|msecs?)/g, 'ms').replace(/\s*(seconds?|secs?)\b/g, 's').replace(/\s*(minutes?|mins?)\b/g, 'm')
    .replace(/\s*(hours?|hrs?)\b/g, 'h').replace(/\s*days?\b/g, 'd').replace(/\s*weeks?\b/g, 'w').replace(/\s+/g, '');
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(compact)) return undefined;
  let sum = 0;
  for (const [, number, , unit] of compact.matchAll(/(\d+(\.\d+)?)(ms|[smhdw])/g)) sum += Number(number) * units[unit];
  return sum > 0 && sum < 100 * 366 * dayMs ? sum : undefined;
}

export function durationText(ms: number): string {
  for (const unit of ['w', 'd', 'h', 'm', 's', 'ms']) {
    if (unit !== 'w' && ms >= units[unit] && ms % units[unit] === 0) return `${ms / units[unit]}${unit}`;
  }
  return `${Math.max(1, Math.round(ms))}ms`;
}

interface Point { at: number; span: number }  // span > 0: a whole day, hour ...

function epoch(text: string): Point | undefined {
  const match = /^(\d{9,19})(\.\d+)?$/.exec(text);
  if (!match) return undefined;
  const digits = match[1].length;
  const value = Number(text);
  if (digits <= 10) return { at: value * 1000, span: 0 };
  if (digits <= 13) return { at: value, span: 0 };
  return { at: digits <= 16 ? value / 1000 : value / 1_000_000, span: 0 };
}

const clockPattern = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/;

function clock(text: string): { ms: number } | undefined {
  const match = clockPattern.exec(text);
  if (!match) return undefined;
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (hour > 24 || minute > 59 || second > 60) return undefined;
  return { ms: ((hour * 60 + minute) * 60 + second) * 1000 + Number(`0.${match[4] ?? 0}`) * 1000 };
}

function isoPoint(text: string, zone: Zone): Point | undefined {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\s*(\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(text);
  if (!match) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  const offset = match[5];
  const start = fromCivil({ year, month, day }, offset ? 'utc' : zone);
  if (civil(start, offset ? 'utc' : zone).day !== day) return undefined;
  if (!match[4]) return { at: start, span: fromCivil({ year, month, day: day + 1 }, zone) - start };
  const time = clock(match[4]);
  if (!time) return undefined;
  const east = offset && offset.toUpperCase() !== 'Z'
    ? (offset[0] === '-' ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(-2))) * 60_000 : 0;
  return { at: atClock(start, time.ms, offset ? 'utc' : zone) - east, span: 0 };
}

/** The clock time on the day that begins at `start`, right over changes of summer time. */
function atClock(start: number, ms: number, zone: Zone): number {
  const c = civil(start, zone);
  return fromCivil({ ...c, hour: 0, minute: 0, second: 0, ms }, zone);
}

function dayWord(word: string, now: number, zone: Zone): number | undefined {
  const back: Record<string, number> = { today: 0, yesterday: 1, 今天: 0, 昨天: 1, 前天: 2 };
  if (!(word in back)) return undefined;
  const c = civil(now, zone);
  return fromCivil({ year: c.year, month: c.month, day: c.day - back[word] }, zone);
}

/** One moment or one whole day. */
export function parsePoint(text: string, now: number, zone: Zone): Point | undefined {
  const trimmed = text.trim();
  const lower = trimmed.toLowerCase();
  if (lower === 'now' || lower === '现在') return { at: now, span: 0 };
  const ago = /^(.*\d.*?)\s*(ago|前)$/.exec(lower);
  const duration = ago ? parseDuration(ago[1]) : lower.startsWith('-') ? parseDuration(lower) : undefined;
  if (duration) return { at: now - duration, span: 0 };
  const [word, ...rest] = lower.split(/\s+/);
  const day = dayWord(word, now, zone);
  if (day !== undefined) {
    if (!rest.length) return { at: day, span: dayMs };
    const time = clock(rest.join(' '));
    return time && { at: atClock(day, time.ms, zone), span: 0 };
  }
  const time = clock(lower);
  if (time) {
    const at = atClock(now, time.ms, zone);
    return { at: at > now ? atClock(now - dayMs, time.ms, zone) : at, span: 0 };
  }
  return epoch(trimmed) ?? isoPoint(trimmed, zone);
}

/** What was typed or pasted: `30m`, `yesterday 17:30`, `2026-11-20`, an ISO time, an epoch, `A to B`. */
export function parseRange(text: string, now: number, zone: Zone): Range | undefined {
  const trimmed = text.trim();
  const lower = trimmed.toLowerCase();
  if (lower === '' || lower === 'all' || lower === 'everything' || lower === '全部') return kAll;
  const duration = parseDuration(lower.replace(/^(last|past|最近)\s*/, ''));
  if (duration) return { kind: 'last', ms: duration };
  const parts = trimmed.split(/\s+(?:to|until|-|–|—|至|到)\s+|\s*(?:\.\.\.?|→|–|至|到)\s*/i);
  if (parts.length === 2 && parts[0]) return twoPoints(parts[0], parts[1], now, zone);
  const point = parsePoint(trimmed, now, zone);
  if (!point) return undefined;
  return { kind: 'fixed', from: point.at, to: point.span ? point.at + point.span : undefined };
}

function twoPoints(first: string, second: string, now: number, zone: Zone): Range | undefined {
  const from = parsePoint(first, now, zone);
  if (!from) return undefined;
  if (!second.trim() || second.trim().toLowerCase() === 'now') return { kind: 'fixed', from: from.at };
  const time = clock(second.trim());
  const to = time ? { at: atClock(from.at, time.ms, zone), span: 0 } : parsePoint(second, now, zone);
  if (!to) return undefined;
  let end = to.at + to.span;
  if (time && end <= from.at) end = atClock(from.at + dayMs, time.ms, zone);
  return end > from.at ? { kind: 'fixed', from: from.at, to: end } : undefined;
}

// ---- URL form: "" (all), "30m", "<ms>", "<ms>-<ms>"

export function rangeToUrl(range: Range): string {
  if (range.kind === 'all') return '';
  if (range.kind === 'last') return durationText(range.ms);
  return range.to === undefined ? `${Math.floor(range.from)}-` : `${Math.floor(range.from)}-${Math.ceil(range.to)}`;
}

export function rangeFromUrl(text: string): Range {
  const match = /^(-?\d+)-(-?\d+)?$/.exec(text);
  if (match) return { kind: 'fixed', from: Number(match[1]), to: match[2] === undefined ? undefined : Number(match[2]) };
  const ms = parseDuration(text);
  return ms ? { kind: 'last', ms } : kAll;
}

/** 14:02 – 14:32, with days where they are not today's. */
export function rangeText(range: Range, now: number, zone: Zone): string {
  const { from, to } = bounds(range, now);
  if (from === undefined) return '';
  const end = to ?? now;
  const seconds = end - from < 10 * 60_000;
  const days = dayText(from, zone) !== dayText(now, zone) || dayText(end, zone) !== dayText(now, zone);
  const show = (ms: number, withDay: boolean) => (withDay ? dayText(ms, zone) + ' ' : '') + clockText(ms, zone, seconds);
  const sameDay = dayText(from, zone) === dayText(end, zone);
  return `${show(from, days)} – ${show(end, days && !sameDay)}`;
}

/** The same width, moved by half of it; undefined where there is no start. */
export function shifted(range: Range, direction: -1 | 1, now: number): Range | undefined {
  const { from, to } = bounds(range, now);
  if (from === undefined) return undefined;
  const width = (to ?? now) - from;
  const step = direction * width / 2;
  return { kind: 'fixed', from: from + step, to: (to ?? now) + step };
}

export function zoomedOut(range: Range, now: number): Range {
  const { from, to } = bounds(range, now);
  if (from === undefined) return kAll;
  const end = to ?? now;
  const width = end - from;
  if (width > 366 * dayMs) return kAll;
  if (to === undefined) return { kind: 'last', ms: width * 2 };
  const later = Math.min(end + width / 2, now);
  return { kind: 'fixed', from: from - width / 2, to: Math.max(later, end) };
}
