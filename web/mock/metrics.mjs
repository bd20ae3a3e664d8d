// Made-up hosts with samples, as docs/reference/api.md says.
const secondsNow = () => Math.floor(Date.now() / 1000);
const hosts = [
  { host: 'web-01', ip: '10.0.0.1', level: 0.3, facts: { os: 'Debian GNU/Linux 12', cores: 16, memory: 64e9, boot_time: secondsNow() - 41 * 86400 } },
  { host: 'web-02', ip: '10.0.0.2', level: 0.93, facts: { os: 'Debian GNU/Linux 12', cores: 1, memory: 8e9, boot_time: secondsNow() - 3600 } },
  { host: 'db,03<b>', ip: '', level: 0.6, facts: {} },
  { host: 'old-04', ip: '10.0.0.4', level: 0.1, facts: {}, away: 240 },
];

const fields = {
  cpu: { used: 100, user: 60, system: 25, iowait: 10, steal: 1 }, memory: { used_percent: 100, used: 64e9, swap_used: 1e9, cached: 2e10 },
  diskio: { read_rate: 2e7, write_rate: 1.2e8 }, net: { received_rate: 8e6, sent_rate: 1.1e7 }, load: { load1: 16, load5: 14, load15: 12 }, disk: { used_percent: 80 },
};
const number = (ns) => Number(BigInt(ns) / 1000000n) / 1000;
const matches = (pattern, name) => pattern === null || pattern.replace(/\\(.)/g, '$1') === name;

function line(host, measurement, field, tags, params) {
  const [from, to, step] = [number(params.get('from')), number(params.get('to')), Number.parseInt(params.get('step'), 10)];
  const times = [];
  const values = [];
  const end = Math.min(to, secondsNow() - (host.away ?? 0));
  for (let at = Math.ceil(from / step) * step; at < end; at += step) {
    times.push(`${at}000000000`);
    values.push(Math.round(fields[measurement][field] * host.level * (1 + Math.sin(at / 300) / 20) * 1000) / 1000);
  }
  return { host: host.host, field, tags, times, values };
}

export function metrics(path, params) {
  const list = hosts.map(({ level, away, ...host }) => ({ ...host, first: '1700000000000000000', last: `${secondsNow() - (away ?? 1)}000000000`, series: 12, measurements: Object.keys(fields) }));
  if (path.endsWith('/hosts')) return { hosts: list, store: { hosts: hosts.length, series: 48, quarantined: 0, problem: '' } };
  const measurement = params.get('measurement');
  const tags = measurement === 'disk' ? { mount: '/' } : measurement === 'cpu' ? { cpu: 'total' } : {};
  const lines = hosts.filter((host) => matches(params.get('host'), host.host)).flatMap((host) => params.get('fields').split(',').map((field) => line(host, measurement, field, tags, params)));
  return { measurement, lines, series: lines.length, points: lines.length, resolution_seconds: 0, damaged_chunks: 0 };
}
