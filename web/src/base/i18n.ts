// Texts of the page in two languages. Components read t() while rendering, so changing `lang` redraws them.
import en from '../locale/en.json';
import zh from '../locale/zh.json';
import { lang } from './prefs';

export type Key = keyof typeof en;
const tables: Record<'en' | 'zh', Record<string, string>> = { en, zh };

/** The text of a key with {name} replaced. `n` equal to 1 takes the key with "_1" behind it, where there is one. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const table = tables[lang.value];
  const text = (values.n === 1 ? table[key + '_1'] : undefined) ?? table[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name];
    return value === undefined ? all : typeof value === 'number' ? count(value) : value;
  });
}

const locale = () => (lang.value === 'zh' ? 'zh-CN' : 'en-US');

/** 41,700,000 with separators. */
export const count = (value: number) => value.toLocaleString(locale());

/** 41.7 M: for places where the exact number does not matter. */
export function short(value: number): string {
  if (value < 10_000) return count(Math.round(value));
  const units = lang.value === 'zh' ? [[1e8, '亿'], [1e4, '万']] as const : [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']] as const;
  for (const [size, unit] of units) {
    if (value >= size * 0.9995) return `${(value / size).toFixed(value < size * 99.95 ? 1 : 0).replace(/\.0$/, '')} ${unit}`;
  }
  return String(value);
}

/** 212 MB, 1.5 GB (powers of 1000, as disks count). */
export function size(bytes: number): string {
  for (const [unit, name] of [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']] as const) {
    if (bytes >= unit) return `${(bytes / unit).toFixed(bytes < unit * 10 ? 1 : 0)} ${name}`;
  }
  return `${bytes} B`;
}

/** A span of time for reading: 38 ms, 1.4 s, 12 min, 3 h 20 min, 4 d 2 h. */
export function span(ms: number): string {
  const unit = (value: number | string, name: 'ms' | 's' | 'min' | 'h' | 'd') => `${value} ${t(`unit.${name}`)}`;
  if (ms < 1) return unit('<1', 'ms');
  if (ms < 1000) return unit(Math.round(ms), 'ms');
  if (ms < 60_000) return unit((ms / 1000).toFixed(ms < 10_000 ? 1 : 0), 's');
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return unit(minutes, 'min');
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return unit(hours, 'h') + (minutes % 60 ? ' ' + unit(minutes % 60, 'min') : '');
  return unit(Math.floor(hours / 24), 'd') + (hours % 24 ? ' ' + unit(hours % 24, 'h') : '');
}
