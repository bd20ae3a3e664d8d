// A server with made-up data that answers as docs/reference/api.md says, for working on the page without the program.
// No dependencies. Its query language is a small part of the real one.
//   node mock/server.mjs [--port 7118] [--rows 20000] [--rate 4] [--empty] [--slow MS] [--hostile]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostile, World } from './data.mjs';
import { Fleet } from './fleet.mjs';
import { metrics } from './metrics.mjs';

const levels = ['', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist');
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";

function terms(q) {
  return (q.match(/-?(?:[\w.@]+:)?(?:"(?:[^"\\]|\\.)*"|[^\s]+)/g) ?? []).map((text) => {
    const no = text.startsWith('-');
    const [, field, value] = /^(?:([\w.@]+):)?(.*)$/s.exec(no ? text.slice(1) : text);
    return { no, field, value: value.replace(/^"(.*)"$/s, '$1').replace(/\\(.)/g, '$1').toLowerCase() };
  });
}

export function fieldsOf(row) {
  const out = [];
  if (row.format === 'json') {
    try {
      for (const [name, value] of Object.entries(JSON.parse(row.text))) out.push({ name, value: String(value), type: typeof value === 'boolean' ? 'bool' : typeof value });
    } catch { /* not JSON */ }
  }
  for (const [, name, value] of row.text.matchAll(/\b([a-z_]+)=([^\s]+)/g)) out.push({ name, value, type: /^\d+$/.test(value) ? 'number' : 'string' });
  return out;
}

const valueOf = (row, field) => (['host', 'file', 'level', 'topic', 'source'].includes(field) ? row[field] : fieldsOf(row).find((f) => f.name === field)?.value);

function matcher(q) {
  const list = terms(q);
  return (row) => list.every(({ no, field, value }) => {
    const hit = field ? (valueOf(row, field) ?? '\u0000').toLowerCase() === (field === 'level' && value === 'none' ? '' : value) : value.includes('*')
      ? row.text.toLowerCase().includes(value.replace(/\*/g, '')) : row.text.toLowerCase().includes(value);
    return hit !== no;
  });
}

function note(q) {
  const at = q.indexOf('(');
  return at >= 0 && !q.includes(')') ? { message: `no ")" closes this "(" (byte ${at}); searched for these words as plain text`, position: at } : null;
}

function shape(row, limit, parse) {
  const out = { ...row };
  if (limit && row.bytes > limit) { out.text = row.text.slice(0, limit); out.truncated = true; }
  if (parse) out.parsed = fieldsOf(row);
  return out;
}

function histogram(rows, step) {
  const buckets = new Map();
  for (const row of rows) {
    const start = BigInt(row.time) / step * step;
    const key = start.toString();
    if (!buckets.has(key)) buckets.set(key, levels.map(() => 0));
    buckets.get(key)[levels.indexOf(row.level)]++;
  }
  return [...buckets].map(([start, counts]) => ({ start, counts })).sort((a, b) => (BigInt(a.start) < BigInt(b.start) ? -1 : 1));
}

function values(rows, field, limit, prefix = '') {
  const counts = new Map();
  for (const row of rows) {
    const value = valueOf(row, field);
    if (value !== undefined && value.toLowerCase().startsWith(prefix.toLowerCase())) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const list = [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count);
  return { field, distinct: list.length, exact: true, values: list.slice(0, limit) };
}

const second = 1_000_000_000n;
const steps = [1n, 2n, 5n, 10n, 15n, 30n, 60n, 120n, 300n, 600n, 900n, 1800n, 3600n, 7200n, 21600n, 43200n, 86400n].map((s) => s * second);

function stepFor(params, rows) {
  const from = params.get('from') ? BigInt(params.get('from')) : BigInt(rows[0]?.time ?? 0);
  const to = params.get('to') ? BigInt(params.get('to')) : BigInt(Date.now()) * 1000000n;
  return steps.find((s) => (to - from) / s <= 110n) ?? 86400n * second;
}

export function startMock({ port = 7118, rows = 20000, rate = 4, empty = false, slow = 0, withHostile = false, base = '/' } = {}) {
  const world = new World();
  const listeners = new Set();
  const state = { signedIn: true, fail: 0 };
  const streams = new Set();
  // Held, so that a build going on does not take the page away under a test.
  const files = new Map(existsSync(dist) ? readdirSync(dist).map((name) => [name, readFileSync(join(dist, name))]) : []);
  if (!empty) world.fill(rows, 2 * 3600_000);
  if (withHostile) hostile.forEach((text) => world.add(text, { level: 'info', ms: Date.now() }));
  const started = Date.now();

  const emit = (list) => listeners.forEach((each) => each(list));
  const timer = rate > 0 && !empty ? setInterval(() => emit(Array.from({ length: Math.max(1, Math.round(rate / 4)) }, () => world.make(Date.now()))), 250) : undefined;

  function select(params) {
    const match = matcher(params.get('q') ?? '');
    const from = params.get('from') ? BigInt(params.get('from')) : undefined;
    const to = params.get('to') ? BigInt(params.get('to')) : undefined;
    return world.rows.filter((row) => (from === undefined || BigInt(row.time) >= from) && (to === undefined || BigInt(row.time) < to) && match(row));
  }

  const stats = (found, extra = {}) => ({ records: found.length, lines: found.reduce((n, row) => n + row.lines, 0), exact: true, partial: false, blocks_total: 40,
    blocks_read: 12, bytes_read: 21_240_000, rows_scanned: world.rows.length, damaged_blocks: 0, searched_back_to: found[0]?.time ?? '0', elapsed: '18000000', ...extra });

  async function search(params, response) {
    const q = params.get('q') ?? '';
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    const send = (frame) => response.write(JSON.stringify(frame) + '\n');
    const found = select(params);
    const step = params.get('step') ? stepFor(params, found) : null;
    send({ type: 'meta', query: q, note: note(q), from: params.get('from'), to: params.get('to'), now: String(Date.now() * 1e6), limit: 100, order: 'newest', step: step && String(step), commit: world.commit });
    const limit = Number(params.get('limit') ?? 100);
    const textLimit = Number(params.get('text_limit') ?? 0);
    let list = found.slice().reverse();
    if (params.get('after')) {
      const at = list.findIndex((row) => row.cursor === params.get('after'));
      list = list.slice(at + 1);
    }
    const page = list.slice(0, limit);
    for (let i = 0; i < page.length; i += 100) {
      send({ type: 'rows', rows: page.slice(i, i + 100).map((row) => shape(row, textLimit, false)) });
      if (slow) {
        send({ type: 'progress', stats: stats(found, { exact: false, blocks_read: 4 + i / 50, searched_back_to: page[Math.min(page.length - 1, i + 99)].time }) });
        await new Promise((resolve) => setTimeout(resolve, slow));
        if (response.destroyed) return;
      }
    }
    if (step) send({ type: 'histogram', final: true, step: String(step), buckets: histogram(found, step) });
    if (params.get('values')) send({ type: 'values', fields: params.get('values').split(',').map((field) => values(found, field, Number(params.get('values_limit') ?? 20))) });
    send({ type: 'done', stats: stats(found), next: list.length > page.length ? page[page.length - 1]?.cursor ?? null : null, error: null });
    response.end();
  }

  function live(params, request, response) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const match = matcher(params.get('q') ?? '');
    let commit = Number(request.headers['last-event-id'] ?? params.get('commit') ?? world.commit);
    const send = (event, data) => response.write(`event: ${event}\nid: ${commit}\ndata: ${JSON.stringify(data)}\n\n`);
    send('hello', { commit, query: params.get('q') ?? '', note: null });
    const push = (list) => {
      const fresh = list.filter((row) => row.commit > commit && match(row));
      commit = world.commit;
      const shown = fresh.slice(0, 2000);
      if (shown.length) send('rows', { commit, rows: shown.map((row) => shape(row, Number(params.get('text_limit') ?? 0), false)) });
      if (fresh.length > shown.length) send('sampled', { shown: shown.length, skipped: fresh.length - shown.length });
    };
    push(world.rows.filter((row) => row.commit > commit));
    listeners.add(push);
    streams.add(response);
    const beat = setInterval(() => response.write(': still here\n\n'), 10_000);
    request.on('close', () => { listeners.delete(push); streams.delete(response); clearInterval(beat); });
  }

  function context(params) {
    const file = world.rows.filter((row) => row.source === params.get('source')).sort((a, b) => a.offset - b.offset);
    let at = -1;
    file.forEach((row, i) => { if (row.offset <= Number(params.get('offset'))) at = i; });
    if (at < 0) return { rows: [], index: -1 };
    const first = Math.max(0, at - Number(params.get('before') ?? 5));
    const list = file.slice(first, at + 1 + Number(params.get('after') ?? 5));
    return { rows: list.map((row) => shape(row, Number(params.get('text_limit') ?? 0), params.get('parse') === 'true')), index: at - first };
  }

  function sources() {
    const by = new Map();
    for (const row of world.rows) {
      const old = by.get(row.source) ?? { records: 0 };
      const size = world.offsets.get(row.source);
      by.set(row.source, { source: row.source, epoch: 0, topic: 'logs', rule: 'default', file: row.file, host: row.host, state: 'active', size, read: size,
        acknowledged: size, lag: 0, problem: '', records: old.records + 1, stored_bytes: size, position: size, first_seen: row.time, last_seen: row.time, finished: false, binary: false, flagged: false });
    }
    const blank = { epoch: 0, topic: 'logs', rule: 'default', host: 'web-01', records: 0, stored_bytes: 0, position: 0, first_seen: '0', last_seen: '0', problem: '', lag: 0 };
    return [...by.values(),
      { ...blank, source: 'aa', file: '/var/log/btmp', state: 'unreadable', size: null, read: null, acknowledged: 0, lag: null, problem: 'cannot open /var/log/btmp: permission denied; let the user "logboom" read it' },
      { ...blank, source: 'bb', file: '/var/log/a"b\nc<b>.log', state: 'idle', size: 12, read: 12, acknowledged: 12 },
      { ...blank, source: 'cc', file: '/var/log/journal/system.journal', state: 'binary', size: 8388608, read: 0, acknowledged: 0, lag: null },
      { ...blank, source: 'dd', file: '/var/log/app/big.log', state: 'active', size: 734003200, read: 401000000, acknowledged: 400556032, lag: 333447168, records: 2912345 }]
      .sort((a, b) => (a.file < b.file ? -1 : 1));
  }

  function status() {
    const raw = [...world.offsets.values()].reduce((a, b) => a + b, 0);
    const times = world.rows.map((row) => row.time);
    return { version: '0.1.0', now: String(Date.now() * 1e6), started: String(started) + '000000', uptime_seconds: Math.floor((Date.now() - started) / 1000), host: 'web-01',
      store: { files: 1, bytes_on_disk: Math.round(raw / 8.3), raw_bytes: raw, records: world.rows.length, blocks: 12, tail_rows: 34, commits: world.commit, wal_bytes: 40960, damaged_blocks: 0,
        oldest: times[0] ?? null, newest: times[times.length - 1] ?? null, deletion_held: '', problem: '' },
      sources: empty ? { total: 0, active: 0, unreadable: 0, lag_bytes: 0 } : { total: 9, active: 6, unreadable: 1, lag_bytes: 0 }, live: { last_commit: world.commit },
      pipeline: { agents: fleet.agents.length, lines_per_second: rate, bytes_per_second: rate * 110, queue_bytes: 0, budget_bytes: 134217728 } };
  }

  function audit() {
    const list = sources().filter((s) => s.records > 0 && s.size < 1e8).map((s) => ({ ...s, bytes: { stored: s.size, dropped: 0, hole: 0, quarantined: 0, gap: 0 }, expired_bytes: 0, dropped_lines: 0, contiguous: true }));
    return { clean: true, blocks_checked: 12, rows_checked: world.rows.length, sources: list, findings: [] };
  }

  const fleet = new Fleet(world);

  const json = (response, body, code = 200) => {
    response.writeHead(code, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
  };

  const routes = {
    '/api/v1/search': (params, request, response) => search(params, response),
    '/api/v1/live': live,
    '/api/v1/context': (params, _, response) => json(response, context(params)),
    '/api/v1/fields': (params, _, response) => {
      const counts = new Map();
      for (const row of select(params).slice(-2000)) for (const { name } of fieldsOf(row)) counts.set(name, (counts.get(name) ?? 0) + 1);
      json(response, { fields: [...counts].map(([name, records]) => ({ name, records })).sort((a, b) => b.records - a.records), builtin: ['host', 'file', 'level', 'topic', 'source', 'rule'] });
    },
    '/api/v1/values': (params, _, response) => json(response, values(select(params), params.get('field'), Number(params.get('limit') ?? 20), params.get('prefix') ?? '')),
    '/api/v1/histogram': (params, _, response) => {
      const step = BigInt(Number.parseInt(params.get('step'), 10)) * 1000000000n;
      const buckets = new Map();
      for (const row of select(params)) {
        const start = String(BigInt(row.time) / step * step);
        const counts = buckets.get(start) ?? [0, 0, 0, 0, 0, 0, 0];
        counts[3]++;
        buckets.set(start, counts);
      }
      json(response, { step: String(step), buckets: [...buckets].map(([start, counts]) => ({ start, counts })).sort((a, b) => (a.start < b.start ? -1 : 1)), stats: {} });
    },
    '/api/v1/sources': (_, __, response) => json(response, { sources: empty ? [] : sources() }),
    '/api/v1/status': (_, __, response) => json(response, status()),
    '/api/v1/session': (_, __, response) => json(response, { name: 'admin', role: 'admin', via: 'session' }),
    '/api/v1/audit': (_, __, response) => setTimeout(() => json(response, audit()), 400),
  };

  /** Only for tests: POST JSON to /mock/NAME. */
  const control = {
    add: (body) => { const rows = body.lines.map((text) => world.add(text, { ...body, ms: body.ms ?? Date.now() })); emit(rows); return { ids: rows.map((row) => row.id) }; },
    flood: (body) => { const rows = Array.from({ length: body.count }, () => world.make(Date.now())); emit(rows); return { count: rows.length }; },
    cut: () => { const count = streams.size; streams.forEach((each) => each.destroy()); return { count }; },
    agent: (body) => Object.assign(fleet.agents.find((agent) => agent.name === body.name), body),
    session: (body) => { state.signedIn = body.on; return state; },
    fail: (body) => { state.fail = body.count; return state; },
  };

  function file(path, response) {
    const name = path === '/' ? 'index.html' : path.slice(1);
    const body = files.get(name);
    if (!body) return json(response, { error: { code: 'not_found', message: 'no such page' } }, 404);
    response.writeHead(200, { 'Content-Type': types[extname(name)] ?? 'application/octet-stream', 'Content-Security-Policy': csp, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'same-origin' });
    response.end(body);
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    if (!url.pathname.startsWith(base)) return json(response, {}, 404);
    const path = '/' + url.pathname.slice(base.length);
    if (path.startsWith('/mock/')) {
      let text = '';
      request.on('data', (chunk) => { text += chunk; });
      request.on('end', () => json(response, control[path.slice(6)](JSON.parse(text || '{}'))));
    } else if (path === '/signin') {
      // As the program's gate does: a form of another origin signs nobody in.
      if (request.method === 'POST' && request.headers.origin !== `http://${request.headers.host}`) return json(response, { error: { code: 'forbidden', message: `foreign origin ${request.headers.origin}` } }, 403);
      state.signedIn = true;
      request.resume();
      response.writeHead(303, { Location: base }).end();
    } else if (path.startsWith('/api/')) {
      if (!state.signedIn) return json(response, { error: { code: 'unauthenticated', message: 'sign in first', hint: 'logboom login' } }, 401);
      if (state.fail > 0 && state.fail--) return json(response, { error: { code: 'unavailable', message: 'too many searches at once', hint: 'try again in a second' } }, 503);
      const route = routes[path];
      if (route) route(url.searchParams, request, response);
      else if (path.startsWith('/api/v1/metrics/')) json(response, metrics(path, url.searchParams));
      else if (path.startsWith('/api/v1/agents')) fleet.answer(path, request, (body, code) => json(response, body, code));
      else json(response, { error: { code: 'not_found', message: `no route ${path}` } }, 404);
    } else file(path, response);
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve({
    url: `http://127.0.0.1:${server.address().port}${base}`, world,
    close: () => { clearInterval(timer); server.closeAllConnections(); server.close(); },
  })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, fallback) => { const at = process.argv.indexOf('--' + name); return at < 0 ? fallback : Number(process.argv[at + 1]); };
  const mock = await startMock({ port: option('port', 7118), rows: option('rows', 20000), rate: option('rate', 4), slow: option('slow', 0),
    empty: process.argv.includes('--empty'), withHostile: process.argv.includes('--hostile') });
  if (!existsSync(join(dist, 'index.html'))) console.log('first: npm run build');
  console.log(mock.url);
}
