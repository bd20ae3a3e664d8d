// What the Hosts page asks for: the hosts, four small lines for each in the grid, six charts of one.
import { api, type Params } from '../api/client';
import type { Bucket, MetricAnswer, MetricHost, MetricLine } from '../api/types';
import { short, size, type Key } from '../base/i18n';
import { nsOf, type Ns } from '../base/time';
import { withFilter } from '../text/query_words';
import { lineOf, stepFor, sumOf, type Extent, type Line } from './chart_math';

export type Unit = 'percent' | 'bytes' | 'rate' | 'number';

export function valueText(value: number, unit: Unit): string {
  if (unit === 'percent') return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
  if (unit === 'bytes') return size(Math.round(value));
  if (unit === 'rate') return `${size(Math.round(value))}/s`;
  return value < 100 ? String(Math.round(value * 100) / 100) : short(value);
}

/** A value of a tag as a pattern of the API that matches just it. */
export const exactly = (value: string) => value.replace(/[\\,]/g, '\\$&');

function asked(extent: Extent, step: number, params: Params): Params {
  return { from: nsOf(extent.from), to: nsOf(extent.to), step: `${step}s`, ...params };
}

// ---- grid

export type SparkName = 'cpu' | 'memory' | 'disk' | 'network';
export const sparkNames: SparkName[] = ['cpu', 'memory', 'disk', 'network'];
export const sparkUnit: Record<SparkName, Unit> = { cpu: 'percent', memory: 'percent', disk: 'rate', network: 'rate' };
const sparkQueries: Record<SparkName, Params> = {
  cpu: { measurement: 'cpu', fields: 'used', tags: 'cpu=total' },
  memory: { measurement: 'memory', fields: 'used_percent' },
  disk: { measurement: 'diskio', fields: 'read_rate,write_rate', across: 'sum', by: 'host' },
  network: { measurement: 'net', fields: 'received_rate,sent_rate', tags: 'interface!=lo', across: 'sum', by: 'host' },
};

export interface GridHost extends MetricHost { sparks: Record<SparkName, Line>; errors: number }
export interface Grid { hosts: GridHost[]; extent: Extent; problem: string }

const kSparkPoints = 60;
const kErrorWindow = 5;  // minutes

function byHost(answer: MetricAnswer): Map<string, Line[]> {
  const out = new Map<string, Line[]>();
  for (const line of answer.lines) out.set(line.host, [...(out.get(line.host) ?? []), lineOf(line, line.field)]);
  return out;
}

/** Errors per minute of each host that wrote some. */
async function errorsByHost(): Promise<Map<string, number>> {
  const answer = await api.values({ field: 'host', q: 'level:(error OR fatal)', from: nsOf(Date.now() - kErrorWindow * 60_000), limit: 1000 });
  return new Map(answer.values.map(({ value, count }) => [value, count / kErrorWindow]));
}

export async function loadGrid(extent: Extent): Promise<Grid> {
  const step = stepFor(extent, kSparkPoints);
  const [{ hosts, store }, errors, ...answers] = await Promise.all([api.metricHosts({ since: nsOf(extent.from) }), errorsByHost(),
    ...sparkNames.map((name) => api.metrics(asked(extent, step, sparkQueries[name])))]);
  const lines = answers.map(byHost);
  return {
    extent, problem: store.problem,
    hosts: hosts.map((host) => ({ ...host, errors: errors.get(host.host) ?? 0,
      sparks: Object.fromEntries(sparkNames.map((name, i) => [name, sumOf(name, lines[i].get(host.host) ?? [])])) as Record<SparkName, Line> })),
  };
}

// ---- one host

export interface ChartKind { name: Key; unit: Unit; least: number; params: Params; lineName: (line: MetricLine) => string }
const field = (line: MetricLine) => line.field;
export const charts: ChartKind[] = [
  { name: 'hosts.cpu', unit: 'percent', least: 100, params: { measurement: 'cpu', fields: 'user,system,iowait,steal', tags: 'cpu=total' }, lineName: field },
  { name: 'hosts.memory', unit: 'bytes', least: 0, params: { measurement: 'memory', fields: 'used,swap_used,cached' }, lineName: field },
  { name: 'hosts.disk', unit: 'rate', least: 0, params: { measurement: 'diskio', fields: 'read_rate,write_rate', across: 'sum' }, lineName: field },
  { name: 'hosts.network', unit: 'rate', least: 0, params: { measurement: 'net', fields: 'received_rate,sent_rate', tags: 'interface!=lo', across: 'sum' }, lineName: field },
  { name: 'hosts.load', unit: 'number', least: 1, params: { measurement: 'load', fields: 'load1,load5,load15' }, lineName: field },
  { name: 'hosts.space', unit: 'percent', least: 100, params: { measurement: 'disk', fields: 'used_percent' }, lineName: (line) => line.tags.mount ?? line.tags.device ?? '' },
];

export interface HostView { facts: MetricHost | undefined; extent: Extent; step: number; lines: Line[][]; histogram: { step: number; buckets: Bucket[] } }

const kChartPoints = 300;
const kMostLines = 6;  // of one chart

/** Lines in the order of the fields that were asked for, so that each keeps its colour. */
export function inOrder(lines: MetricLine[], fields: string): MetricLine[] {
  const order = fields.split(',');
  return [...lines].sort((a, b) => order.indexOf(a.field) - order.indexOf(b.field));
}

export async function loadHost(name: string, extent: Extent): Promise<HostView> {
  const step = stepFor(extent, kChartPoints);
  const barStep = stepFor(extent, 120);
  const host = exactly(name);
  const [{ hosts }, histogram, ...answers] = await Promise.all([api.metricHosts({}),
    api.histogram({ q: withFilter('', 'host', name, true), from: nsOf(extent.from), to: nsOf(extent.to), step: `${barStep}s` }),
    ...charts.map((chart) => api.metrics(asked(extent, step, { ...chart.params, host })))]);
  return {
    facts: hosts.find((each) => each.host === name), extent, step,
    lines: answers.map((answer, i) => inOrder(answer.lines, String(charts[i].params.fields)).slice(0, kMostLines).map((line) => lineOf(line, charts[i].lineName(line)))),
    histogram: { step: barStep * 1000, buckets: histogram.buckets },
  };
}

/** Seconds since the epoch of the newest sample. */
export const ageOf = (last: Ns, now: number) => Math.max(0, now - Number(BigInt(last) / 1000000n));
