// Pictures of the page: node e2e/shots.mjs OUT_DIR [BASE_URL [SIGN_IN_URL]]. Without an address it starts the mock.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startMock } from '../mock/server.mjs';
import { launch } from './browser.mjs';

const [out = '/tmp/shots', base, signIn] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const mock = base ? undefined : await startMock({ port: 0, rate: 6 });
const url = base ?? mock.url;
const browser = await launch();
let storageState;
if (signIn) {  // works once: its cookie serves all pictures
  const context = await browser.newContext();
  await (await context.newPage()).goto(signIn);
  storageState = await context.storageState();
  await context.close();
}

async function shot(name, { width = 1440, height = 900, theme = 'light', lang = 'en', hash = '', act = async () => {}, empty } = {}) {
  const context = await browser.newContext({ storageState, viewport: { width, height }, colorScheme: theme, locale: lang === 'zh' ? 'zh-CN' : 'en-US' });
  const page = await context.newPage();
  page.on('console', (message) => { if (message.type() === 'error') console.log(name, message.text()); });
  page.on('pageerror', (error) => console.log(name, String(error)));
  await page.goto((empty ?? url) + hash);
  if (!empty && (!hash || hash.startsWith('#/logs'))) await page.waitForSelector('.found b, .sign-in, .add').catch(() => {});
  await page.waitForTimeout(900);
  await act(page);
  await page.waitForTimeout(350);
  await page.screenshot({ path: join(out, name + '.png') });
  await context.close();
}

const openError = async (page) => { for (const key of ['e', 'e', 'Enter']) await page.keyboard.press(key); };
const search = '#/logs?q=timeout%20-host%3Aweb-02&t=1h';
await shot('logs-light', { hash: search, act: openError });
await shot('logs-dark', { hash: search, act: openError, theme: 'dark' });
await shot('first-open', {});
await shot('logs-zh', { lang: 'zh', act: openError });
await shot('narrow', { width: 800, height: 900 });
await shot('narrow-drawer', { width: 800, height: 900, act: openError, theme: 'dark' });
await shot('phone', { width: 400, height: 800, lang: 'zh' });
await shot('time-menu', { hash: search, act: async (page) => { await page.click('#time-button'); await page.fill('.time-menu input', 'yesterday 17:30'); } });
await shot('complete', { act: async (page) => { await page.click('#query'); await page.keyboard.type('timeout host:'); await page.waitForTimeout(400); await page.keyboard.press('ArrowDown'); } });
await shot('export', { hash: search, act: (page) => page.click('.export button') });
await shot('help', { act: (page) => page.keyboard.press('?') });
await shot('note', { hash: '#/logs?q=(timeout' });
await shot('none', { hash: '#/logs?q=nothinglikethis&t=30m', theme: 'dark' });
await shot('sources', { hash: '#/sources' });
await shot('sources-dark', { hash: '#/sources', theme: 'dark', lang: 'zh' });
await shot('status', { hash: '#/status', act: async (page) => { await page.click('.card button.go'); await page.waitForTimeout(800); } });
if (mock) {
  await shot('fleet', { hash: '#/fleet' });
  await shot('fleet-one', { hash: `#/fleet?host=${'2'.repeat(32)}`, theme: 'dark', lang: 'zh', act: async (page) => { await page.click('.fleet .rules button.change'); await page.fill('.fleet .rules textarea', 'collect:\n  items:\n    - path: /srv/shop/*.log\n'); } });
  await shot('hist-tip', { act: (page) => page.hover('.hist svg', { position: { x: 900, y: 50 } }) });
  const blank = await startMock({ port: 0, empty: true });
  await shot('add', { empty: blank.url });
  await shot('add-green', { empty: blank.url, theme: 'dark', act: async (page) => { await page.request.post(blank.url + 'mock/add', { data: { lines: ['2026-11-20 14:31:58 INFO hello, first line'] } }); } });
  blank.close();
  await shot('frozen', { act: async (page) => { for (let i = 0; i < 5; i++) await page.keyboard.press('k'); await page.waitForTimeout(1500); } });
  await mock.world.add('x', {});
  await shot('sign-in', { act: async (page) => { await page.request.post(url + 'mock/session', { data: { on: false } }); await page.reload(); } });
}
await browser.close();
mock?.close();
