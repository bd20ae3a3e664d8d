// Made-up logs for the mock server: the same every time for one seed.
export function random(seed) {
  let s = seed | 0;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let x = Math.imul(s ^ (s >>> 15), 1 | s);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

const pad = (n, w = 2) => String(n).padStart(w, '0');
const stack = ['java.net.SocketTimeoutException: Read timed out', '\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:288)',
  '\tat okhttp3.internal.connection.RealCall.execute(RealCall.kt:154)', '\tat shop.payments.GatewayClient.charge(GatewayClient.java:91)',
  '\tat shop.payments.PaymentService.handle(PaymentService.java:212)', 'Caused by: java.io.IOException: connection reset by peer', '\t... 37 more'].join('\n');

const kinds = [
  [18, 'info', '/var/log/nginx/access.log', (r, n) => `10.0.${n(4)}.${n(250)} - - "GET /api/items/${n(90000)} HTTP/1.1" 200 ${n(40000)} ${(r() * 0.4).toFixed(3)}`],
  [8, 'info', '/var/log/app/pay.log', (r, n) => `[pool-2-thread-${n(16)}] PaymentService - charge order-${4000 + n(900)} amount=${n(400)}.${pad(n(100))} currency=EUR`],
  [5, 'debug', '/var/log/app/pay.log', (r, n) => `[pool-2-thread-${n(16)}] GatewayClient - POST https://payments-${n(3)}:8443/charge attempt=${1 + n(3)}`],
  [3, 'warn', '/var/log/app/pay.log', (r, n) => `[pool-2-thread-${n(16)}] GatewayClient - upstream timeout rt=${(4 + r()).toFixed(3)} rid=${n(2 ** 31).toString(16)}`],
  [1.2, 'error', '/var/log/app/pay.log', (r, n) => `[pool-2-thread-${n(16)}] PaymentService - charge failed for order-${4000 + n(900)}: timeout after 5000 ms\n${stack}`],
  [1.6, 'warn', '/var/log/mysql/slow.log', (r, n) => `slow query ${(1 + r() * 5).toFixed(2)} s rows_examined=${n(2000000)} select * from orders where customer_id=${n(90000)}`],
  [1, 'error', '/var/log/nginx/error.log', (r, n) => `*${n(90000)} connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.3.${n(250)}, server: shop.example`],
  [2, 'info', '/var/log/app/web.log', (r, n) => `[支付] 订单 order-${4000 + n(900)} 等待网关响应 timeout=5s 用户=${n(9000)}`],
  [2, 'info', '/var/log/app/jobs.json', (r, n) => JSON.stringify({ level: 'info', msg: 'job finished', job: `mail-${n(500)}`, took_ms: n(900), ok: r() > 0.1, queue: ['mail', 'report', 'index'][n(3)] })],
  [0.1, 'fatal', '/var/log/app/web.log', () => 'out of memory: killing worker 4'],
  [4, '', '/var/log/syslog', (r, n) => `systemd[1]: session-${n(900)}.scope: Succeeded.`],
  [0.8, 'info', '/var/log/app/web.log', (r, n) => `\u001b[32mGET\u001b[0m /cart/${n(900)} \u001b[1;33m302\u001b[0m ${n(90)} ms`],
];
const weight = kinds.reduce((sum, kind) => sum + kind[0], 0);
const hosts = ['web-01', 'web-02', 'db-03', 'pay-01'];
export const hostile = [
  '<script>document.title = "owned"; window.owned = 1</script><img src=x onerror="window.owned=2">',
  '\u001b[31mred \u001b[1mbold\u001b[0m plain \u001b]0;title\u0007 \u001b[2J cleared',
  'user=\u202etxt.exe\u202c admin\u200b done \u2066isolated\u2069',
  'nul \u0000 bell \u0007 run \u0000\u0000\u0000\u0000 end\r',
  'lone \ud800 surrogate and \ufffd replaced',
  '=cmd|\' /C calc\'!A0 {{constructor.constructor("window.owned=3")()}} ${1+1}',
  '\ufeffwith a byte order mark',
  'tab\tseparated\tvalues \u2028 line separator',
  'long ' + 'x'.repeat(9000) + ' END',
];

export function hash(text) {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619) >>> 0;
  return h.toString(16).padStart(8, '0').repeat(4);
}

export class World {
  constructor(seed = 7) {
    this.r = random(seed);
    this.rows = [];
    this.offsets = new Map();
    this.commit = 0;
  }

  n = (max) => Math.floor(this.r() * max);

  pick(boost) {
    let at = this.r() * (weight + boost);
    for (const kind of kinds) if ((at -= kind[0]) < 0) return kind;
    return kinds[4];
  }

  /** A row at `ms`; `boost` makes errors likelier. */
  make(ms, boost = 0) {
    const [, level, file, text] = this.pick(boost);
    const d = new Date(ms);
    const stamp = `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}.${pad(d.getMilliseconds(), 3)}`;
    const body = text(this.r, this.n);
    const line = body.startsWith('{') ? body.replace('{', `{"time":"${d.toISOString()}",`) : `${stamp} ${level ? level.toUpperCase().padEnd(5) + ' ' : ''}${body}`;
    return this.add(line, { ms, level, file, host: file.includes('mysql') ? 'db-03' : file.includes('pay') ? 'pay-01' : hosts[this.n(2)], nanos: this.n(1e6) });
  }

  add(text, { ms = Date.now(), level = '', file = '/var/log/app/web.log', host = 'web-01', nanos = 0 } = {}) {
    const source = hash(host + file);
    const offset = this.offsets.get(source) ?? 0;
    const bytes = Buffer.byteLength(text);
    this.offsets.set(source, offset + bytes + 1);
    const row = { id: `${source}.0.${offset}`, source, epoch: 0, offset, time: (BigInt(Math.floor(ms)) * 1000000n + BigInt(nanos)).toString(), time_origin: 'parsed',
      level, host, file, topic: 'logs', format: text.startsWith('{') ? 'json' : 'text', lines: text.split('\n').length, commit: ++this.commit, text, bytes,
      cursor: '' };
    row.cursor = Buffer.from(`${row.time}.${row.commit}`).toString('base64url');
    this.rows.push(row);
    return row;
  }

  fill(count, spanMs, end = Date.now()) {
    const start = end - spanMs;
    for (let i = 0; i < count; i++) {
      const part = i / count;
      const wave = part + 0.012 * Math.sin(part * 12 * Math.PI);
      const boost = part > 0.62 && part < 0.7 ? 14 : 0;
      this.make(start + Math.min(1, Math.max(0, wave)) * spanMs, boost);
    }
    this.rows.sort((a, b) => (BigInt(a.time) < BigInt(b.time) ? -1 : BigInt(a.time) > BigInt(b.time) ? 1 : a.commit - b.commit));
  }
}
