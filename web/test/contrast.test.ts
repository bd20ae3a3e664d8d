// Text must be readable in both themes: 4.5:1 (WCAG AA) on every surface it stands on; marks of state 3:1.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

declare const WEB_ROOT: string;

const sheet = readFileSync(join(WEB_ROOT, 'src/style/tokens.css'), 'utf8');
const block = (start: string) => {
  const at = sheet.indexOf(start);
  assert.ok(at >= 0);
  return new Map([...sheet.slice(at, sheet.indexOf('\n}', at)).matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((m) => [m[1], m[2]]));
};
const themes = { light: block(':root {'), dark: block('[data-theme="dark"] {') };

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function ratio(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}

const onList = ['text', 'text-2', 'text-3', 'fatal', 'error', 'warn', 'info', 'debug', 'trace', ...Array.from({ length: 16 }, (_, i) => `ansi-${i}`)];
const pairs: [string, string[], number][] = [
  ['bg', onList, 4.5],
  ['bg-hover', onList, 4.5],
  ['bg-chosen', onList, 4.5],
  ['bg-chrome', ['text', 'text-2', 'text-3', 'accent', 'good', 'warn', 'error', 'fatal', 'info', 'debug', 'trace'], 4.5],
  ['bg-raised', ['text', 'text-2', 'text-3', 'accent', 'good', 'warn', 'error'], 4.5],
  ['bg-hover', ['accent'], 4.5],
  ['accent', ['accent-text'], 4.5],
  ['mark', ['mark-text'], 4.5],
  ['good-soft', ['text', 'good'], 4.5],
  ['bad-soft', ['text', 'text-2', 'error', 'accent'], 4.5],
  ['warn-soft', ['text', 'text-2', 'warn', 'accent'], 4.5],
  ['bg-raised', ['line-control', 'bar-error'], 3],
];

for (const [theme, tokens] of Object.entries(themes)) {
  test(`text is readable in the ${theme} theme`, () => {
    const low: string[] = [];
    for (const [surface, names, least] of pairs) {
      for (const name of names) {
        const found = ratio(tokens.get(name)!, tokens.get(surface)!);
        if (found < least) low.push(`${name} on ${surface}: ${found.toFixed(2)}`);
      }
    }
    assert.deepEqual(low, []);
  });
}

test('both themes set the same tokens', () => {
  assert.deepEqual([...themes.dark.keys()], [...themes.light.keys()]);
});
