// Hosts: a card with small lines for each; one host with its charts and its log lines over one axis.
import { useState } from 'preact/hooks';
import { size, span, t, type Key } from '../base/i18n';
import { Icon } from '../base/icons';
import { usePoll } from '../base/poll';
import { bounds, rangeToUrl, type Range } from '../base/range';
import { go, kStart, view } from '../base/url_state';
import { TimePicker } from '../logs/time_picker';
import { Problem } from '../pages/problem';
import { withFilter } from '../text/query_words';
import { visible } from '../text/segments';
import type { MetricHost } from '../api/types';
import { Chart, LogBars, Spark } from './chart';
import type { Extent } from './chart_math';
import { ageOf, charts, loadGrid, loadHost, sparkNames, sparkUnit, valueText, type GridHost } from './host_data';

const kHour = 3_600_000;
/** What is shown where no time is chosen; everything means it too. */
export const kHostsRange: Range = { kind: 'last', ms: kHour };
const kMost = 300;
const kAway = 60_000;  // without a sample for so long a host counts as away

function extentOf(range: Range): Extent {
  const now = Date.now();
  const { from, to } = bounds(range, now);
  return { from: from ?? now - kHour, to: to ?? now };
}

type Health = 'bad' | 'warn' | 'good' | 'away';
const last = (host: GridHost, name: 'cpu' | 'memory') => host.sparks[name].values.at(-1) ?? 0;

export function healthOf(host: GridHost, now: number): Health {
  if (ageOf(host.last, now) > kAway) return 'away';
  const worst = Math.max(last(host, 'cpu'), last(host, 'memory'));
  return worst >= 95 ? 'bad' : worst >= 85 ? 'warn' : 'good';
}

type Order = 'busy' | 'name' | 'errors';
function ordered(hosts: GridHost[], order: Order, now: number): GridHost[] {
  const away = (host: GridHost) => Number(healthOf(host, now) === 'away');
  const key = { busy: (host: GridHost) => -last(host, 'cpu'), errors: (host: GridHost) => -host.errors, name: () => 0 }[order];
  return [...hosts].sort((a, b) => away(a) - away(b) || key(a) - key(b) || (a.host < b.host ? -1 : 1));
}

function Card({ host, extent }: { host: GridHost; extent: Extent }) {
  const now = Date.now();
  const health = healthOf(host, now);
  const right = health === 'away' ? t('hosts.seen', { span: span(ageOf(host.last, now)) })
    : host.errors > 0 ? t('hosts.errors', { n: Math.max(1, Math.round(host.errors)) }) : t('hosts.noErrors');
  return (
    <button class={'card host is-' + health} onClick={() => go({ host: host.host })}>
      <span class="head"><span class="dot" title={t(`hosts.health.${health}` as Key)} /><b>{visible(host.host)}</b><span class="minor">{right}</span></span>
      {sparkNames.map((name) => {
        const value = host.sparks[name].values.at(-1);
        return <span class="spark" key={name}><span>{t(`hosts.${name}` as Key)}</span><Spark line={host.sparks[name]} extent={extent} top={sparkUnit[name] === 'percent' ? 100 : 1} warn={sparkUnit[name] === 'percent' && (value ?? 0) >= 85} /><em>{value === undefined ? '–' : valueText(value, sparkUnit[name])}</em></span>;
      })}
    </button>
  );
}

function Hosts() {
  const { range } = view.value;
  const { value, error, again } = usePoll(() => loadGrid(extentOf(range)), 10_000);
  const [text, setText] = useState('');
  const [order, setOrder] = useState<Order>('busy');
  const words = text.toLowerCase();
  const fits = (host: GridHost) => `${host.host} ${host.ip} ${Object.values(host.facts).join(' ')}`.toLowerCase().includes(words);
  const found = ordered((value?.hosts ?? []).filter(fits), order, Date.now());
  return (
    <main class="page hosts">
      <div class="page-head">
        <h1>{t('nav.hosts')}</h1>
        {value && <span class="minor">{t('hosts.count', { n: value.hosts.length })}</span>}
        <label class="find"><Icon name="search" /><input value={text} placeholder={t('hosts.find')} aria-label={t('hosts.find')} onInput={(event) => setText(event.currentTarget.value)} /></label>
        {(['busy', 'errors', 'name'] as Order[]).map((each) => (
          <button key={each} class={'small ' + (order === each ? 'go' : '')} aria-pressed={order === each} onClick={() => setOrder(each)}>{t(`hosts.order.${each}` as Key)}</button>
        ))}
        <span class="grow" /><TimePicker all={kHostsRange} />
      </div>
      {error && <Problem error={error} again={again} />}
      {value?.problem && <div class="notice bad"><Icon name="warn" /><span>{visible(value.problem)}</span></div>}
      <div class="cards">{value && found.slice(0, kMost).map((host) => <Card key={host.host} host={host} extent={value.extent} />)}</div>
      {found.length > kMost && <p class="hint">{t('hosts.cut', { n: found.length - kMost })}</p>}
      {value && found.length === 0 && <p class="hint">{value.hosts.length ? t('hosts.noneFound') : t('hosts.none')}</p>}
    </main>
  );
}

/** What is known of the machine, in one line. */
export function factsText(host: MetricHost, now: number): string {
  const { os, cores, memory, boot_time: boot } = host.facts;
  const parts = [host.ip, os === undefined ? '' : String(os), cores === undefined ? '' : t('hosts.cores', { n: Number(cores) }),
    memory === undefined ? '' : size(Number(memory)), boot === undefined ? '' : t('hosts.up', { span: span(Math.max(0, now - Number(boot) * 1000)) })];
  return parts.filter(Boolean).join(' · ');
}

function One({ name }: { name: string }) {
  const { range, zone } = view.value;
  const { value, error, again } = usePoll(() => loadHost(name, extentOf(range)), 5000);
  const logs = () => go({ ...kStart, zone, range, query: withFilter('', 'host', name, true) });
  return (
    <main class="page hosts one">
      <div class="page-head">
        <button class="link" onClick={() => go({ host: '' })}>{t('nav.hosts')}</button><span class="minor" aria-hidden="true">/</span>
        <h1>{visible(name)}</h1>
        {value?.facts && <span class="minor">{visible(factsText(value.facts, Date.now()))}</span>}
        <span class="grow" /><button onClick={logs}>{t('hosts.logs')}</button><TimePicker all={kHostsRange} />
      </div>
      {error && <Problem error={error} again={again} />}
      {value && !value.facts && <p class="hint">{t('hosts.unknown')}</p>}
      {value && (
        <div class="charts">
          {charts.map((chart, i) => <Chart key={chart.name} title={t(chart.name)} unit={chart.unit} least={chart.least} lines={value.lines[i]} extent={value.extent} step={value.step} />)}
          <LogBars host={name} extent={value.extent} step={value.histogram.step} buckets={value.histogram.buckets} />
        </div>
      )}
    </main>
  );
}

export function HostsPage() {
  const { host, range } = view.value;
  const key = rangeToUrl(range);
  return host ? <One key={host + '\0' + key} name={host} /> : <Hosts key={key} />;
}
