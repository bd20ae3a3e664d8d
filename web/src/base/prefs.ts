// What one person prefers in this browser. Lost storage (private windows) only loses the preference.
import { effect, signal } from '@preact/signals';
import type { Zone } from './time';

export type Theme = 'system' | 'light' | 'dark';
export type Lang = 'en' | 'zh';

function read(key: string): string | null {
  try {
    return localStorage.getItem('logboom.' + key);
  } catch {
    return null;
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem('logboom.' + key, value);
  } catch { /* not kept */ }
}

export const oneOf = <T extends string>(value: string | null, all: readonly T[], fallback: T): T =>
  all.includes(value as T) ? value as T : fallback;

const systemLang = (): Lang => (typeof navigator !== 'undefined' && /^zh\b/i.test(navigator.language) ? 'zh' : 'en');
const inBrowser = typeof document !== 'undefined';

export const theme = signal<Theme>(inBrowser ? oneOf(read('theme'), ['system', 'light', 'dark'] as const, 'system') : 'system');
export const lang = signal<Lang>(inBrowser ? oneOf(read('lang'), ['en', 'zh'] as const, systemLang()) : 'en');
export const preferredZone = (): Zone => oneOf(read('zone'), ['local', 'utc'] as const, 'local');
const wide = () => !inBrowser || matchMedia('(min-width: 901px)').matches;
/** Beside the list on wide screens (remembered), over it on narrow ones (closed at first). */
export const facetsShown = signal(inBrowser ? wide() && read('facets') !== '0' : true);
/** Whether rows show the time stamp their text begins with, beside the time column. */
export const stampsShown = signal(inBrowser ? read('stamps') === '1' : false);

export function rememberZone(zone: Zone): void { store('zone', zone); }

export function applyPrefs(): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const systemDark = signal(system.matches);
  system.addEventListener('change', () => { systemDark.value = system.matches; });
  effect(() => {
    const dark = theme.value === 'dark' || (theme.value === 'system' && systemDark.value);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    store('theme', theme.value);
  });
  effect(() => {
    document.documentElement.lang = lang.value === 'zh' ? 'zh-CN' : 'en';
    store('lang', lang.value);
  });
  effect(() => { const shown = facetsShown.value; if (wide()) store('facets', shown ? '1' : '0'); });
  effect(() => store('stamps', stampsShown.value ? '1' : '0'));
}
