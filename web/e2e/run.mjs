// The page in headless Chromium. Without arguments against the mock; against a running program:
//   node e2e/run.mjs --url http://127.0.0.1:7117/ --signin 'http://127.0.0.1:7117/signin?token=...' --file /path/that/is/collected.log
// Lines are then appended to that file and to e2e-json.log beside it (the program must be collecting both, say by DIR/*.log),
// and must come out as they went in.
// --only TEXT runs the checks whose name holds the text. Exit status 1 when one fails.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMock } from '../mock/server.mjs';
import { launch } from './browser.mjs';

const option = (name) => { const at = process.argv.indexOf('--' + name); return at < 0 ? undefined : process.argv[at + 1]; };
const real = option('url');
const only = option('only') ?? '';
const file = option('file');
if (real && !file) throw new Error('--url needs --file: a log file which that program collects');
if (!real && !existsSync(join(dirname(fileURLToPath(import.meta.url)), '../dist/index.html'))) throw new Error('first: npm run build');
const mock = real ? undefined : await startMock({ port: 0, rows: 3000, rate: 0 });
const url = real ?? mock.url;
const origins = [new URL(url).origin];
const run = 'e2e' + Date.now().toString(36);
const results = [];

const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US', timezoneId: 'Europe/Berlin', permissions: ['clipboard-read', 'clipboard-write'] });
const page = await context.newPage();
page.setDefaultTimeout(40_000);  // the machine may be busy with other tests
const complaints = [];
const foreign = [];
page.on('console', (message) => { if (['error', 'warning'].includes(message.type()) && !/40[13] \(/.test(message.text())) complaints.push(message.text()); });
page.on('pageerror', (error) => complaints.push(String(error)));
page.on('request', (request) => { if (!origins.some((origin) => request.url().startsWith(origin)) && !request.url().startsWith('data:')) foreign.push(request.url()); });
page.on('dialog', (dialog) => { complaints.push('dialog: ' + dialog.message()); void dialog.dismiss(); });

async function check(name, body, { mockOnly = false } = {}) {
  if (!name.includes(only) || (mockOnly && real)) return;
  const start = Date.now();
  try {
    const note = await body();
    results.push(true);
    console.log(`ok    ${name} (${Date.now() - start} ms)${note ? ': ' + note : ''}`);
  } catch (error) {
    results.push(false);
    console.log(`FAIL  ${name}: ${error.stack}`);
    await page.screenshot({ path: `/tmp/e2e-${results.length}.png` }).catch(() => {});
  }
}

const stamp = (ms) => new Date(ms).toISOString();
let clock = Date.now() - 5000;

/** Where JSON lines go: the form of a file is found by its first lines. */
const jsonFile = file?.replace(/[^/]*$/, 'e2e-json.log');

/** Puts lines where the program collects them. Each gets a time of its own, so that their order is given. */
async function write(lines, { stamped = true, to = file } = {}) {
  const full = lines.map((line) => (stamped ? `${stamp(clock++)} ${line}` : line));
  if (real) appendFileSync(to, full.map((line) => line + '\n').join(''));
  else await page.request.post(url + 'mock/add', { data: { lines: full, ms: clock } });
  return full;
}

/** Waits for a condition in the page. Asks from outside: playwright's own way evaluates strings, which the policy forbids. */
async function until(condition, argument, timeout = 40_000) {
  for (const end = Date.now() + timeout; ; await new Promise((done) => setTimeout(done, 15))) {
    if (await page.evaluate(condition, argument)) return;
    if (Date.now() > end) throw new Error(`not within ${timeout} ms: ${condition} ${argument ?? ''}`);
  }
}

/** The same for what is asked of the page in several steps. */
async function holds(condition, timeout = 40_000) {
  for (const end = Date.now() + timeout; ; await new Promise((done) => setTimeout(done, 15))) {
    const [held, why] = await condition().then((value) => [value, 'false'], (error) => [false, error]);
    if (held) return;
    if (Date.now() > end) throw new Error(`not within ${timeout} ms: ${condition}: ${why}`);
  }
}

const rows = () => page.$$eval('.row:not([hidden])', (list) => list.map((row) => [Number(row.dataset.index), row.querySelector('.m').textContent]).sort((a, b) => a[0] - b[0]).map((entry) => entry[1]));
/** Rows are drawn in the frame after they are counted. */
const drawn = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const waitRows = async (count) => {
  await until((n) => Number(document.querySelector('.rows')?.getAttribute('aria-rowcount')) >= n, count);
  await drawn();
};
const press = (key) => page.keyboard.press(key);

async function open(query, more = '') {
  await page.goto('about:blank');
  await page.goto(`${url}#/logs?q=${encodeURIComponent(query)}${more}`);
  await page.waitForSelector('.found b');
}

/** Opens a query and waits until so many rows are there; the program may need a moment to store them. */
async function find(query, count, more = '') {
  for (let round = 0; ; round++) {
    await open(query, more);
    try {
      await until((n) => Number(document.querySelector('.rows')?.getAttribute('aria-rowcount')) >= n, count, 5000 * (round + 1));
      await drawn();
      return;
    } catch (error) {
      if (round === 4) throw error;
    }
  }
}

if (option('signin')) {
  await page.goto(option('signin'));
  assert.ok(page.url().startsWith(url), 'the sign-in address leads to the page');
}

await check('the page opens without any choice and shows the newest lines', async () => {
  await write([`${run} hello`]);
  // Opened on an empty store the page would say how to add data.
  while (!((await (await page.request.get(url + 'api/v1/status')).json()).store.records > 0)) await page.waitForTimeout(50);
  await page.goto('about:blank');
  const start = Date.now();
  await page.goto(url);
  await waitRows(1);
  const took = Date.now() - start;
  assert.ok(await page.$('.hist path'));
  return `first rows after ${took} ms`;
});

const word = run + 'w';
const plain = ['plain', 'tab\tinside  two  spaces', 'quotes " \' ` and \\ backslash', '<b>bold</b> &amp; &lt; entities', '支付 订单 超时 😀', 'مرحبا بالعالم', 'ünïcödé ñ',
  'ends with spaces   ', '{{mustache}} ${dollar} %s %n', 'x'.repeat(3000), 'zwj 👩‍💻 family'].map((line) => `${word} ${line}`);

await check('row text equals the lines given, byte for byte, in order', async () => {
  const full = await write(plain);
  await find(word, plain.length);
  const shown = await rows();
  assert.deepEqual(shown.map((text) => Buffer.from(text)), full.map((text) => Buffer.from(text)));
  assert.equal(await page.$eval('.row .m mark', (mark) => mark.textContent), word);
});

await check('live lines appear at the end, in order', async () => {
  const tag = run + 'v';
  await write([`${tag} before`]);
  await find(tag, 1);
  await page.waitForSelector('.pulse.open');
  const before = Number(await page.$eval('.rows', (e) => e.getAttribute('aria-rowcount')));
  const start = Date.now();
  const full = await write([1, 2, 3].map((n) => `${tag} live ${n}`));
  await waitRows(before + 3);
  const took = Date.now() - start;
  assert.deepEqual((await rows()).slice(-3), full);
  return `after ${took} ms`;
});

await check('hostile lines stay text', async () => {
  const tag = run + 'h';
  const title = await page.title();
  const lines = [`<script>window.owned=1</script><img src=x onerror="window.owned=2"><svg onload="window.owned=3">`, '\u001b[31mred\u001b[0m \u001b[1;38;2;1;2;3mdeep\u001b[0m \u001b]0;pwned\u0007 \u001b[2J',
    'user=\u202etxt.exe\u202c zero\u200bwidth \u2066iso\u2069', 'nul \u0000 bell \u0007 run \u0000\u0000\u0000 end', "=cmd|' /C calc'!A0 javascript:alert(1)", 'sep \u2028 and \u2029'].map((line) => `${tag} ${line}`);
  await write(lines);
  await find(tag, lines.length);
  const shown = await rows();
  assert.ok(shown[0].endsWith(lines[0]), shown[0]);
  assert.ok(shown[1].endsWith(' red deep \\e]0;pwned\\a \\e[2J'), shown[1]);
  assert.equal(await page.$eval('.row .m .fg-1', (span) => span.textContent), 'red');
  assert.ok(shown[2].endsWith('user=\\u202etxt.exe\\u202c zero\\u200bwidth \\u2066iso\\u2069'), shown[2]);
  assert.ok(shown[3].endsWith('nul \\0 bell \\a run 3 zero bytes end'), shown[3]);
  assert.ok(shown[4].endsWith(lines[4]), shown[4]);
  assert.ok(shown[5].endsWith('sep \\u2028 and \\u2029'), shown[5]);
  await press('j');
  await press('g');
  await press('Enter');
  await page.waitForSelector('.drawer .nbs');
  const tags = await page.$$eval('.rows *, .drawer pre *, .drawer dd > span:not(.acts) *, .nbs *', (list) => [...new Set(list.map((element) => element.tagName))]);
  assert.deepEqual(tags.filter((name) => !['DIV', 'SPAN', 'B', 'S', 'MARK', 'BUTTON'].includes(name)), []);
  assert.equal(await page.evaluate(() => window.owned), undefined);
  assert.ok(title.endsWith('logboom') && (await page.title()).endsWith('logboom'));
});

await check('a line in full: exact text, copies, neighbours', async () => {
  await find(word, plain.length);
  await press('g');
  await press('Enter');
  await page.waitForSelector('.drawer .nbs .nb.on');
  const first = (await rows())[0];
  assert.equal(await page.$eval('.drawer pre', (pre) => pre.textContent), first);
  await page.click('.drawer .top button:has-text("JSON")');
  const copied = async () => page.evaluate(() => navigator.clipboard.readText());
  await holds(async () => JSON.parse(await copied()).text === first);
  for (let i = 0; i < 4; i++) await press('j');
  await until(() => document.querySelector('.drawer pre')?.textContent.includes('支付'));
  await page.click('.drawer .top button:has-text("Text")');
  await holds(async () => (await copied()) === (await rows())[4]);
  await until(() => document.querySelectorAll('.nb').length >= 9);
  assert.equal(await page.$eval('.nb.on .m', (e) => e.textContent.includes('支付')), true);
});

await check('a long line is cut until asked', async () => {
  const tag = run + 'l';
  const [full] = await write([`${tag} ${'long '.repeat(40_000)}END`]);
  await find(tag, 1);
  await press('k');
  await press('Enter');
  await page.waitForSelector('.drawer .full .link');
  assert.ok((await page.$eval('.drawer pre', (pre) => pre.textContent)).length <= 4096);
  await page.click('.drawer .full .link');
  await until((n) => document.querySelector('.drawer pre').textContent.length === n, full.length);
  assert.equal(await page.$eval('.drawer pre', (pre) => pre.textContent), full);
});

await check('choosing a row freezes the list; the pill counts and lets go', async () => {
  const tag = run + 'f';
  await write(Array.from({ length: 30 }, (_, n) => `${tag} ${n}`));
  await find(tag, 30);
  await page.waitForSelector('.pulse.open');
  await press('k');
  const top = await page.$eval('.rows', (e) => e.scrollTop);
  await write(Array.from({ length: 25 }, (_, n) => `${tag} later ${n}`));
  await until(() => document.querySelector('.pill')?.textContent.includes('25'));
  assert.equal(await page.$eval('.rows', (e) => e.scrollTop), top);
  assert.equal(await page.$eval('.rows', (e) => e.getAttribute('aria-rowcount')), '30');
  await page.click('.pill');
  await waitRows(55);
  await holds(async () => (await rows()).pop().endsWith('later 24') && (await page.$('.pill')) === null);
});

await check('the address keeps the view; Back takes a step back', async () => {
  await open(word, '&t=1h&z=utc');
  await page.fill('#query', word + ' live');
  await press('Enter');
  await until((text) => location.hash.includes(text), 'live');
  await page.reload();
  await page.waitForSelector('.found b');
  assert.equal(await page.inputValue('#query'), word + ' live');
  await page.goBack();
  await until((text) => document.getElementById('query').value === text, word);
  await page.click('.fv .pick:enabled');
  await until(() => document.getElementById('query').value.includes('level:') || document.getElementById('query').value.includes('host:') || document.getElementById('query').value.includes('file:'));
  await page.goBack();
  await until((text) => document.getElementById('query').value === text, word);
});

await check('a link to a line opens it, wherever it is', async () => {
  await find(word, plain.length);
  await press('g');
  await press('Enter');
  await until(() => location.hash.includes('row='));
  const link = page.url();
  await page.goto('about:blank');
  await page.goto(link);
  await page.waitForSelector('.row.on');
  await page.waitForSelector('.nb.on');
  await page.goto('about:blank');
  await page.goto(link.replace(/q=[^&]*/, 'q=nothing' + run));
  await page.waitForSelector('.nb.on');
});

await check('fields and values are completed while typing', async () => {
  await open('');
  await page.click('#query');
  await page.keyboard.type('ho');
  await page.waitForSelector('.choices li');
  await press('Tab');
  await until(() => document.getElementById('query').value === 'host:');
  await page.waitForSelector('.choices em');
  await press('ArrowDown');
  await press('Enter');
  await until(() => /^host:\S+ $/.test(document.getElementById('query').value));
  await press('Enter');
  await until(() => location.hash.includes('host'));
});

await check('times are typed in words', async () => {
  await open('');
  await page.click('#time-button');
  await page.fill('.time-menu input', 'yesterday 17:30');
  await page.click('.time-menu form button');
  await until(() => /t=\d+-/.test(location.hash));
  await page.click('#time-button');
  await page.fill('.time-menu input', 'soonish');
  assert.ok(await page.$('.time-menu form button:disabled'));
  await press('Escape');
});

await check('a brush on the histogram chooses a range', async () => {
  await open('', '&t=1h');
  await page.waitForSelector('.hist path');
  const box = await (await page.$('.hist svg')).boundingBox();
  await page.mouse.move(box.x + 300, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 700, box.y + 40, { steps: 5 });
  await page.mouse.up();
  await until(() => /t=\d+-\d+/.test(location.hash));
  const [, from, to] = /t=(\d+)-(\d+)/.exec(page.url());
  assert.ok(Math.abs((to - from) / 3_600_000 - 400 / (box.width - 58)) < 0.02, `${to - from} ms`);
});

await check('a query that does not parse is searched as words, and the page says so', async () => {
  await write([`(${word}u open`]);
  await find(`(${word}u`, 1);
  await page.waitForSelector('.notice');
  assert.match(await page.textContent('.notice'), /plain text/);
  assert.equal(await page.$eval('.row .m mark', (mark) => mark.textContent), `(${word}u`);
  await page.click('.notice .link');
  await until((text) => document.getElementById('query').value === text, `${word}u`);
});

await check('nothing found is said, with a way out', async () => {
  await open('nothinglikethis' + run, '&t=5m');
  await page.waitForSelector('.empty button');
});

await check('keys: live, help, errors', async () => {
  await open(word);
  await page.waitForSelector('.pulse.open');
  await press('l');
  await until(() => document.querySelector('.live').getAttribute('aria-pressed') === 'false' && location.hash.includes('live=0'));
  await press('l');
  await page.waitForSelector('.pulse.open');
  await press('?');
  await page.waitForSelector('dialog[open]');
  await press('Escape');
  await until(() => !document.querySelector('dialog[open]'));
  await press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'query');
});

await check('both languages, both themes', async () => {
  await page.click('button[lang="zh-CN"]');
  await until(() => document.documentElement.lang === 'zh-CN');
  assert.match(await page.textContent('nav'), /日志/);
  await page.click('button[lang="en"]');
  const colour = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await colour();
  await page.emulateMedia({ colorScheme: 'dark' });
  await until((before) => getComputedStyle(document.body).backgroundColor !== before, light);
  await page.emulateMedia({ colorScheme: 'light' });
  await until((before) => getComputedStyle(document.body).backgroundColor === before, light);
});

await check('fields are listed when asked for, and their values', async () => {
  const tag = run + 'j';
  await write([1, 2, 2].map((n) => JSON.stringify({ time: stamp(clock++), msg: `${tag} job`, shard: `s${n}` })), { stamped: false, to: jsonFile });
  await find(tag, 3);
  await page.click('.facet .link.plain');
  await page.click('.facet .pick .name:text-is("shard")');
  await until(() => [...document.querySelectorAll('.facet')].some((e) => e.querySelector('h4').textContent.includes('shard') && /s2\D*2/.test(e.textContent)));
  // In its own facet: a file's path or the host's name may contain any two letters.
  await page.click('.facet:has(h4:has-text("shard")) .pick:has-text("s2")');
  await until(() => document.getElementById('query').value.endsWith('shard:s2'));
  await until(() => document.querySelector('.rows').getAttribute('aria-rowcount') === '2');
});

await check('a narrow window: filters are a sheet, the detail covers the list', async () => {
  await page.setViewportSize({ width: 800, height: 700 });
  await open(word);
  await page.evaluate(() => localStorage.clear());
  await page.reload();
  await waitRows(5);
  assert.equal(await page.$('.facets'), null);
  await press('k');
  await press('Enter');
  await page.waitForSelector('.drawer .nbs');
  const [drawer, list] = await page.evaluate(() => ['.drawer', '.list'].map((name) => document.querySelector(name).getBoundingClientRect().width));
  assert.ok(drawer >= list, `${drawer} ${list}`);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 800);
  await page.setViewportSize({ width: 1280, height: 800 });
});

await check('files and their state are listed', async () => {
  await page.goto(`${url}#/sources`);
  await page.waitForSelector('tbody tr');
  if (real) assert.ok((await page.textContent('table')).includes(file));
});

await check('the status page proves it', async () => {
  await page.goto(`${url}#/status`);
  await page.waitForSelector('.card dl');
  await page.click('.card button.go');
  await page.waitForSelector('.verdict', { timeout: 60_000 });
  return (await page.textContent('.verdict')).trim();
});

await check('status: why topics cannot be read is told', async () => {
  await page.route('**/api/v1/status', async (route) => {
    const answer = await route.fetch();
    const status = await answer.json();
    status.pipeline.topics_problem = 'Kafka: <b>Authentication failed</b>';
    await route.fulfill({ response: answer, json: status });
  });
  await page.goto('about:blank');
  await page.goto(`${url}#/status`);
  await page.waitForSelector('.card [role=alert]');
  assert.equal(await page.textContent('.card [role=alert]'), 'Kafka: <b>Authentication failed</b>');
  await page.unroute('**/api/v1/status');
}, { mockOnly: true });

await check('100,000 rows scroll at the speed of the screen', async () => {
  await page.request.post(url + 'mock/flood', { data: { count: 105_000 } });
  await open('', '&live=0');
  const top = () => page.$eval('.rows', (e) => { e.scrollTop = 0; });
  for (let i = 0; i < 120; i++) {
    if (Number(await page.$eval('.rows', (e) => e.getAttribute('aria-rowcount'))) >= 100_000) break;
    await top();
    await page.waitForTimeout(120);
  }
  const held = Number(await page.$eval('.rows', (e) => e.getAttribute('aria-rowcount')));
  assert.ok(held >= 100_000, `${held} rows`);
  const { work, worst, nodes } = await page.evaluate(async () => {
    const list = document.querySelector('.rows');
    const frames = [];
    for (let i = 0; i < 180; i++) {
      list.scrollTop = (i * 7919 * 22) % (list.scrollHeight - list.clientHeight);
      const begin = performance.now();
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      frames.push((performance.now() - begin) / 2);
    }
    frames.sort((a, b) => a - b);
    return { work: frames[Math.floor(frames.length / 2)], worst: frames[Math.floor(frames.length * 0.95)], nodes: document.querySelectorAll('.row').length };
  });
  assert.ok(nodes < 200, `${nodes} row elements`);
  return `${held} rows, ${nodes} elements, jumping anywhere: median frame ${work.toFixed(1)} ms, 95% ${worst.toFixed(1)} ms`;
}, { mockOnly: true });

await check('2,000 live lines a second keep the page responsive', async () => {
  await open('');
  await page.waitForSelector('.pulse.open');
  const before = Number((await page.textContent('.found b')).replace(/\D/g, ''));
  let stop = false;
  const flood = (async () => { while (!stop) { await page.request.post(url + 'mock/flood', { data: { count: 400 } }); await new Promise((done) => setTimeout(done, 200)); } })();
  const frames = await page.evaluate(async () => {
    const out = [];
    let last = performance.now();
    for (let i = 0; i < 180; i++) {
      await new Promise((done) => requestAnimationFrame(done));
      out.push(performance.now() - last);
      last = performance.now();
    }
    return out.sort((a, b) => a - b);
  });
  stop = true;
  await flood;
  const after = Number((await page.textContent('.found b')).replace(/\D/g, ''));
  assert.ok(after - before > 3000, `${after - before} lines`);
  return `${after - before} lines in 3 s, median frame ${frames[90].toFixed(1)} ms, 95% ${frames[171].toFixed(1)} ms`;
}, { mockOnly: true });

await check('a cut live stream goes on where it stopped: nothing lost, nothing twice', async () => {
  const tag = run + 'c';
  await write([`${tag} 0`]);
  await find(tag, 1);
  await page.waitForSelector('.pulse.open');
  const { count } = await (await page.request.post(url + 'mock/cut', { data: {} })).json();
  assert.ok(count > 0);
  await write([1, 2, 3].map((n) => `${tag} ${n}`));
  await until(() => document.querySelector('.pulse.waiting') !== null);
  await waitRows(4);
  await write([`${tag} 4`]);
  await waitRows(5);
  assert.deepEqual((await rows()).map((text) => text.split(' ').pop()), ['0', '1', '2', '3', '4']);
}, { mockOnly: true });

await check('too fast: sampled, and said so', async () => {
  await open('');
  await page.waitForSelector('.pulse.open');
  await page.request.post(url + 'mock/flood', { data: { count: 5000 } });
  await until(() => /3 k|3,000/.test(document.querySelector('.notice')?.textContent ?? ''));
}, { mockOnly: true });

await check('Esc cancels a search; what came stays, marked', async () => {
  const slow = await startMock({ port: 0, rows: 3000, rate: 0, slow: 1500 });
  origins.push(new URL(slow.url).origin);
  await page.goto(slow.url);
  await waitRows(100);
  await page.waitForSelector('.prog');
  assert.match(await page.textContent('.meta'), /searched back to \d\d:\d\d/);
  await press('Escape');
  await page.waitForSelector('.meta .warn');
  assert.match(await page.textContent('.meta'), /partial/);
  assert.ok(Number(await page.$eval('.rows', (e) => e.getAttribute('aria-rowcount'))) < 300);
  slow.close();
}, { mockOnly: true });

await check('an error of the server is shown with its remedy', async () => {
  await page.request.post(url + 'mock/fail', { data: { count: 2 } });
  await page.goto('about:blank');
  await page.goto(`${url}#/logs?q=x`);
  await page.waitForSelector('.notice.bad');
  assert.match(await page.textContent('.notice.bad'), /too many searches/);
  await page.click('.notice.bad .link');
  await page.waitForSelector('.found b');
}, { mockOnly: true });

await check('while nothing is stored: how to add data, and a box that turns green', async () => {
  const blank = await startMock({ port: 0, empty: true });
  origins.push(new URL(blank.url).origin);
  await page.goto(blank.url);
  await page.waitForSelector('.first');
  await page.request.post(blank.url + 'mock/add', { data: { lines: ['the first line'] } });
  await page.waitForSelector('.first.good');
  await page.click('.first button.go');
  await waitRows(1);
  blank.close();
}, { mockOnly: true });

// ---- hosts

await check('hosts: a card with small lines for each, found and ordered', async () => {
  await page.goto('about:blank');
  await page.goto(url + '#/status');
  await page.click('nav a[href*="/hosts"]');
  await page.waitForSelector('.card.host');
  assert.deepEqual(await page.locator('.card.host .head b').allTextContents(), ['web-02', 'db,03<b>', 'web-01', 'old-04']);
  assert.match(await page.locator('.card.host').first().textContent(), /CPU[89][0-9] %Memory[89][0-9] %Disk1[0-9]+ MB\/sNetwork1[0-9] MB\/s/);
  assert.match(await page.locator('.card.host.is-away').textContent(), /old-04last seen 4 min ago/);
  assert.match(await page.locator('.card.host .spark path').first().getAttribute('d'), /^M.*L/);
  await page.click('.hosts .page-head button:has-text("By name")');
  assert.equal(await page.locator('.card.host .head b').first().textContent(), 'db,03<b>');
  await page.fill('.hosts .find input', '10.0.0.2');
  assert.equal(await page.locator('.card.host').count(), 1);
  await page.goto('about:blank');
  await page.goto(url + '#/hosts');
  await page.waitForSelector('.card.host');
  assert.equal(await page.textContent('#time-button'), 'Last 1 h', 'what is shown where no time was chosen');
  await page.click('#time-button');
  assert.equal(await page.locator('.time-menu .presets button.on').textContent(), 'Last 1 h');
  const [button, menu] = await Promise.all(['#time-button', '.time-menu'].map((each) => page.locator(each).boundingBox()));
  assert.ok(menu.y >= button.y + button.height && menu.y < button.y + button.height + 20, 'the menu hangs from its button');
  assert.equal(await page.locator('.time-menu .presets button:has-text("All time")').count(), 0);
}, { mockOnly: true });

await check('hosts: one host, one cursor over its charts and its log lines', async () => {
  await page.goto('about:blank');
  await page.goto(`${url}#/hosts?host=web-01&t=30m`);
  await page.waitForSelector('.charts .chart path.stroke');
  assert.equal(await page.locator('.charts .chart:not(.bars)').count(), 6);
  assert.match(await page.textContent('.hosts .page-head'), /web-0110\.0\.0\.1 · Debian GNU\/Linux 12 · 16 cores · 64 GB · up 41 d/);
  const box = await page.locator('.charts .chart svg').first().boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.waitForSelector('.chart .cursor', { state: 'attached' });
  assert.equal(await page.locator('.chart .cursor').count(), 7);
  const at = await page.locator('.chart .cursor').evaluateAll((lines) => lines.map((each) => each.getAttribute('x1')));
  assert.equal(new Set(at.slice(0, 6)).size, 1, 'at one place in charts of one width');
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 80, box.y + box.height / 2, { steps: 4 });
  await page.mouse.up();
  await until(() => /t=\d+-\d+/.test(location.hash));
  await page.locator('.chart.bars svg').scrollIntoViewIfNeeded();
  const bars = await page.locator('.chart.bars svg').boundingBox();
  await page.mouse.move(bars.x + 200, bars.y + 30);
  await until(() => /^Lines of this host\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.test(document.querySelector('.chart.bars h2').textContent));
  await page.mouse.down();
  await page.mouse.move(bars.x + 400, bars.y + 30, { steps: 4 });
  await page.mouse.up();
  await until(() => location.hash.startsWith('#/logs') && /q=host%3Aweb-01/.test(location.hash));
}, { mockOnly: true });

await check('hosts: the program shows this host', async () => {
  if (!real) return 'with a running program only';
  await write(['INFO beside the samples']);
  await page.goto('about:blank');
  await page.goto(url + '#/hosts');
  // A line begins with the second whole minute that has samples.
  await page.waitForSelector('.card.host .spark path[d*="L"]', { state: 'attached', timeout: 180_000 });
  assert.equal(await page.locator('.hosts .notice.bad').count(), 0);
  const name = await page.textContent('.card.host .head b');
  await page.click('.card.host');
  await page.waitForSelector('.charts .chart path.stroke[d*="L"]', { state: 'attached' });
  assert.equal(await page.textContent('.hosts h1'), name);
  await until(() => [...document.querySelectorAll('.charts .chart:not(.bars)')].every((chart) => chart.querySelector('path.stroke[d*="L"]')));
  await page.waitForSelector('.charts .chart.bars path', { state: 'attached' });
  return undefined;
});

// ---- fleet

/** Of the table row (or the part of a page) that names the host. */
const agentRow = (name) => page.locator('.fleet tbody tr', { has: page.locator('td.path b', { hasText: new RegExp(`^${name}$`) }) });

await check('fleet: hosts with what is wrong with them, one host with its files', async () => {
  await page.goto('about:blank');
  await page.goto(url + '#/status');
  await page.click('nav a[href*="/fleet"]');
  await page.waitForSelector('.fleet tbody tr');
  assert.equal(await page.locator('.fleet tbody tr').count(), 6);
  assert.match(await agentRow('store-01').textContent(), /transfer.*12 messages/);
  assert.match(await agentRow('web-02').textContent(), /not delivered: the server answers 503: <b>busy<\/b>/);
  assert.match(await agentRow('web-02').textContent(), /0 of 1/);
  assert.match(await agentRow('db-01').textContent(), /away/);
  await page.locator('.fleet .page-head button', { hasText: 'With problems 2' }).click();
  assert.equal(await page.locator('.fleet tbody tr').count(), 2);
  await agentRow('web-02').locator('td.path button').click();
  await page.waitForSelector('.fleet.one .files tbody tr');
  assert.match(page.url(), /host=2{32}/);
  assert.match(await page.textContent('.fleet.one .files h2'), /web_log: 1 file, Lag 82 kB/);
  await page.goBack();
  await page.waitForSelector('.fleet:not(.one) tbody tr');
}, { mockOnly: true });

await check('fleet: on a phone its link is there, and the bar fits', async () => {
  await page.setViewportSize({ width: 400, height: 800 });
  await page.goto(url + '#/fleet');
  await page.waitForSelector('.fleet tbody tr');
  assert.ok(await page.isVisible('nav a[href*="/fleet"]'));
  const bar = await page.evaluate(() => { const nav = document.querySelector('nav'); return [nav.scrollWidth, nav.clientWidth, ...[...nav.querySelectorAll('a,button,b')].map((e) => e.textContent + ' ' + Math.round(e.getBoundingClientRect().width))]; });
  assert.ok(bar[0] <= bar[1], bar.join(', '));
  await page.setViewportSize({ width: 1280, height: 800 });
}, { mockOnly: true });

await check('fleet: of a host that follows etcd the page says where its rules are, and how to change them', async () => {
  await page.goto('about:blank');
  await page.goto(url + '#/fleet');
  await agentRow('etcd-01').locator('td.path button').click();
  await page.waitForSelector('.fleet.one .rules.etcd');
  assert.match(await page.textContent('.fleet .rules.etcd'), /etcd, revision 42.*takes its rules from etcd, not from this server/);
  assert.equal(await page.locator('.fleet .rules textarea, .fleet .rules button.change').count(), 0);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.locator('.fleet .rules.etcd .command', { hasText: '--dry-run' }).locator('button').click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "logboom rules add '/var/log/app/*.log' --host etcd-01 --config agent.yaml --dry-run");
  await page.locator('.page-head button', { hasText: 'Fleet' }).click();
  assert.match(await agentRow('etcd-01').textContent(), /etcd, revision 42/);
}, { mockOnly: true });

await check('fleet: a rule is changed after its diff was seen, and over the revision it was made from', async () => {
  await page.goto('about:blank');
  await page.goto(`${url}#/fleet?host=${'1'.repeat(32)}`);
  await page.click('.fleet .rules button.change');
  const text = await page.inputValue('.fleet .rules textarea');
  await page.fill('.fleet .rules textarea', text + '    - path: /srv/shop/*.log\n');
  assert.equal((await page.textContent('.fleet .rules .diff .added')).trim(), '+     - path: /srv/shop/*.log');
  assert.equal(await page.locator('.fleet .rules .diff .removed').count(), 0);
  await page.click('.fleet .rules .edit button.try');
  await page.waitForSelector('.fleet .rules .preview tr.problem');
  assert.match(await page.textContent('.fleet .rules .preview'), /2 files, 12.5 lines/);
  await page.click('.fleet .rules .edit button.go');
  await until(() => /\/srv\/shop/.test(document.querySelector('.fleet .rules pre.yaml')?.textContent ?? ''));
  assert.match(await page.textContent('.fleet .rules h2'), /revision 2/);
  // Somebody else is faster.
  await page.click('.fleet .rules button.change');
  await page.fill('.fleet .rules textarea', 'collect: {items: []}\n');
  await page.request.put(`${url}api/v1/agents/web-01/rules`, { data: { yaml: 'collect:\n  items: []\n', revision: 2 } });
  await page.click('.fleet .rules .edit button.go');
  await page.waitForSelector('.fleet .rules .notice.bad');
  assert.match(await page.textContent('.fleet .rules .notice.bad'), /revision 3, not 2/);
  assert.equal(await page.inputValue('.fleet .rules textarea'), 'collect: {items: []}\n');
  await page.click('.fleet .rules .notice.bad .link');
  await page.waitForSelector('.fleet .rules pre.yaml');
  // An earlier revision again.
  await page.click('.fleet .rules summary');
  await page.locator('.fleet .rules .history tr', { hasText: 'uid:0' }).locator('button').click();
  assert.deepEqual(await page.locator('.fleet .rules .diff .added').allTextContents(), ['+   items:\n', '+     - path: /var/log/app/*.log\n']);
  await page.click('.fleet .rules .edit button.go');
  await until(() => /revision 4/.test(document.querySelector('.fleet .rules h2')?.textContent ?? ''));
}, { mockOnly: true });

await check('nothing came from elsewhere, nothing was refused by the policy', async () => {
  assert.deepEqual(foreign, []);
  assert.deepEqual(complaints.filter((text) => !/503|409|INCOMPLETE_CHUNKED|CONNECTION/.test(text)), []);
});

await check('without a session the page says how to sign in', async () => {
  if (real) await context.clearCookies();
  else await page.request.post(url + 'mock/session', { data: { on: false } });
  await page.goto('about:blank');
  await page.goto(`${url}#/logs`);
  await until(() => /logboom login/.test(document.body.textContent), undefined);
});

await check('a pasted sign-in address signs in', async () => {
  await page.fill('#address', `${url}signin?token=abcdefghijklmnopqrst`);
  await page.click('.sign-in form button');
  await page.waitForSelector('.found b');
}, { mockOnly: true });

await browser.close();
mock?.close();
const failed = results.filter((good) => !good).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
