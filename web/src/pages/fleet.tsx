// The agents of this server: what each does and what is wrong with it; one agent with its files and its rules.
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Agent, AgentSource, TopicPartition } from '../api/types';
import { copy } from '../base/clipboard';
import { count, size, span, t, type Key } from '../base/i18n';
import { Icon } from '../base/icons';
import { usePoll } from '../base/poll';
import { msOf } from '../base/time';
import { go, view } from '../base/url_state';
import { withFilter } from '../text/query_words';
import { visible } from '../text/segments';
import { HostRules } from './fleet_rules';
import { Problem } from './problem';
import { FileState, Read, SortHead } from './sources';

type Show = 'all' | 'bad' | 'pending';
const kMost = 500;

const bad = (agent: Agent) => !agent.online || agent.problem !== '' || agent.rules_problem !== '' || (agent.unreadable ?? 0) > 0;
/** Whether it does not follow yet what it should follow. */
const pending = (agent: Agent) => agent.rules_from === 'server' && agent.rules_applied !== agent.rules_desired;
/** Heartbeats come every two seconds: less than ten are no news. */
function ago(ns: string | null): string {
  if (!ns) return '–';
  const passed = Date.now() - msOf(ns);
  return passed < 10_000 ? t('fleet.justNow') : t('detail.ago', { span: span(passed) });
}
const bytes = (value: number | null) => (value === null ? '–' : value ? size(value) : '0');
const number = (value: number | null) => (value === null ? '–' : count(value));
/** As a POSIX shell takes it for one word. */
const shellWord = (text: string) => (/^[A-Za-z0-9._:-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);
const isTransfer = (agent: Agent) => agent.role === 'transfer';
const lagOf = (agent: Agent) => (isTransfer(agent) ? agent.lag_messages : agent.lag_bytes) ?? 0;

export function AgentState({ agent }: { agent: Agent }) {
  const name = agent.online ? 'active' : 'missing';
  return <span class={'state s-' + name}><span class="dot" />{agent.online ? t('fleet.online') : agent.seen ? t('fleet.away') : t('fleet.never')}</span>;
}

/** Whose rules, and which revision of them. */
function Rules({ agent }: { agent: Agent }) {
  if (isTransfer(agent)) return <span class="minor">{t('fleet.transfer')}</span>;
  if (agent.rules_from === 'file') return <span class="minor">{t('fleet.ownFile')}</span>;
  if (agent.rules_from === 'etcd') return <span class="state">{t('fleet.inEtcd', { n: agent.rules_applied ?? 0 })}{!agent.rules_problem && <Icon name="check" />}</span>;
  if (agent.rules_desired === 0) return <span class="minor">{t('fleet.noRules')}</span>;
  return pending(agent)
    ? <span class="warn" title={t('fleet.pendingTitle')}>{t('fleet.revisionOf', { applied: String(agent.rules_applied ?? '–'), desired: agent.rules_desired })}</span>
    : <span class="state">{count(agent.rules_desired)}<Icon name="check" /></span>;
}

function Whys({ agent }: { agent: Agent }) {
  return (
    <>
      {agent.problem && <div class="why">{t('fleet.notDelivered', { why: visible(agent.problem) })}</div>}
      {agent.rules_problem && <div class="why">{t('fleet.rulesRefused', { why: visible(agent.rules_problem) })}</div>}
      {(agent.unreadable ?? 0) > 0 && <div class="why">{t('health.unreadable', { n: agent.unreadable! })}</div>}
    </>
  );
}

function Line({ agent }: { agent: Agent }) {
  return (
    <tr class={bad(agent) ? 'problem' : ''}>
      <td class="path"><button class="link plain" onClick={() => go({ host: agent.id })}><b>{visible(agent.name || agent.id)}</b></button><Whys agent={agent} /></td>
      <td><AgentState agent={agent} /></td>
      <td><Rules agent={agent} /></td>
      <td class="n">{isTransfer(agent) ? '–' : number(agent.files)}</td>
      <td class={'n ' + (lagOf(agent) ? '' : 'minor')}>{isTransfer(agent) ? t('fleet.messages', { n: lagOf(agent) }) : bytes(agent.lag_bytes)}</td>
      <td class="n minor">{ago(agent.seen)}</td>
      <td class="minor">{visible(agent.version)}</td>
    </tr>
  );
}

type Order = 'name' | 'state' | 'rules' | 'files' | 'lag' | 'seen' | 'version';
const keys: Record<Order, (a: Agent) => number | string> = {
  name: (a) => a.name, state: (a) => (bad(a) ? 0 : 1), rules: (a) => (pending(a) ? 0 : 1), files: (a) => -(a.files ?? 0), lag: (a) => -lagOf(a),
  seen: (a) => msOf(a.seen ?? '0'), version: (a) => a.version,
};
const columns: [Order, Key, boolean][] = [['name', 'fleet.host', false], ['state', 'sources.state', false], ['rules', 'fleet.rules', false], ['files', 'fleet.files', true],
  ['lag', 'sources.lag', true], ['seen', 'fleet.seen', true], ['version', 'fleet.version', false]];

function ordered(list: Agent[], order: Order): Agent[] {
  const key = keys[order];
  return [...list].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    return x < y ? -1 : x > y ? 1 : a.name < b.name ? -1 : 1;
  });
}

function Agents() {
  const { value, error, again } = usePoll(api.agents, 2000);
  const [text, setText] = useState('');
  const [show, setShow] = useState<Show>('all');
  const [order, setOrder] = useState<Order>('name');
  const list = value?.agents ?? [];
  const fits = { all: () => true, bad, pending };
  const found = ordered(list.filter((a) => fits[show](a) && (a.name + ' ' + a.id).toLowerCase().includes(text.toLowerCase())), order);
  return (
    <main class="page fleet">
      <div class="page-head">
        <h1>{t('nav.fleet')}</h1>
        {value && (['all', 'bad', 'pending'] as Show[]).map((each) => (
          <button key={each} class={'small ' + (show === each ? 'go' : '')} aria-pressed={show === each} onClick={() => setShow(each)}>{t(`fleet.show.${each}` as Key, { n: list.filter(fits[each]).length })}</button>
        ))}
        <span class="grow" />
        <label class="find"><Icon name="search" /><input value={text} placeholder={t('fleet.find')} aria-label={t('fleet.find')} onInput={(event) => setText(event.currentTarget.value)} /></label>
      </div>
      {error && <Problem error={error} again={again} />}
      {found.length > 0 && (
        <div class="scroll-x"><table>
          <SortHead columns={columns} order={order} setOrder={setOrder} />
          <tbody>{found.slice(0, kMost).map((agent) => <Line key={agent.id} agent={agent} />)}</tbody>
        </table></div>
      )}
      {found.length > kMost && <p class="hint">{t('sources.cut', { n: found.length - kMost })}</p>}
      {value && found.length === 0 && <p class="hint">{list.length ? t('fleet.noneFound') : t('fleet.none')} {!list.length && <code>logboom token create --agent</code>}</p>}
    </main>
  );
}

// ---- one agent

function FileLine({ source, host }: { source: AgentSource; host: string }) {
  const query = withFilter(source.file_raw ? withFilter('', 'source', source.source, true) : withFilter('', 'file', source.file, true), 'host', host, true);
  return (
    <tr class={source.problem ? 'problem' : ''}>
      <td class="path"><button class="link plain" title={t('sources.show')} onClick={() => go({ page: 'logs', query, range: { kind: 'all' }, open: '', host: '' })}><code>{visible(source.file)}</code></button>
        {source.problem && <div class="why">{visible(source.problem)}</div>}</td>
      <td>{visible(source.topic)}</td>
      <td>{visible(source.rule)}</td>
      <td><FileState state={source.state} /></td>
      <td class="n">{size(source.size)}</td>
      <td><Read source={source} /></td>
      <td class={'n ' + (source.lag ? '' : 'minor')}>{bytes(source.lag)}</td>
    </tr>
  );
}

const fileColumns: [Key, boolean][] = [['sources.file', false], ['fleet.topic', false], ['fleet.rule', false], ['sources.state', false], ['sources.size', true], ['sources.read', false], ['sources.lag', true]];

/** Files and lag of each topic. */
function topicsOf(sources: AgentSource[]): { topic: string; files: number; lag: number }[] {
  const by = new Map<string, { topic: string; files: number; lag: number }>();
  for (const source of sources) {
    const row = by.get(source.topic) ?? { topic: source.topic, files: 0, lag: 0 };
    by.set(source.topic, { topic: source.topic, files: row.files + 1, lag: row.lag + source.lag });
  }
  return [...by.values()].sort((a, b) => b.lag - a.lag || (a.topic < b.topic ? -1 : 1));
}

function Files({ agent }: { agent: Agent & { sources: AgentSource[] } }) {
  const topics = topicsOf(agent.sources);
  return (
    <section class="card files">
      <h2>{t('fleet.files')}<span class="minor">{topics.map((row) => `${visible(row.topic)}: ${t('health.files', { n: row.files })}, ${t('sources.lag')} ${bytes(row.lag)}`).join(' · ')}</span></h2>
      {agent.sources.length === 0 ? <p class="hint">{agent.reported ? t('sources.none') : t('fleet.notReported')}</p> : (
        <div class="scroll-x"><table>
          <thead><tr>{fileColumns.map(([name, right]) => <th key={name} class={right ? 'n' : ''}>{t(name)}</th>)}</tr></thead>
          <tbody>{agent.sources.slice(0, kMost).map((source) => <FileLine key={source.source + source.epoch + source.topic} source={source} host={agent.name} />)}</tbody>
        </table></div>
      )}
      {(agent.files ?? 0) > agent.sources.length && <p class="hint">{t('fleet.moreFiles', { n: agent.files! - agent.sources.length })}</p>}
    </section>
  );
}

/** The partitions a transfer reads. */
function Topics({ topics }: { topics: TopicPartition[] }) {
  return (
    <section class="card files">
      <h2>{t('fleet.topics')}</h2>
      {topics.length === 0 ? <p class="hint">{t('fleet.noTopics')}</p> : (
        <div class="scroll-x"><table>
          <thead><tr><th>{t('fleet.topic')}</th><th class="n">{t('fleet.partition')}</th><th class="n">{t('fleet.stored')}</th><th class="n">{t('fleet.end')}</th><th class="n">{t('sources.lag')}</th></tr></thead>
          <tbody>{topics.slice(0, kMost).map((row) => (
            <tr key={row.topic + '/' + row.partition}>
              <td>{visible(row.topic)}</td><td class="n">{row.partition}</td><td class="n">{number(row.stored)}</td><td class="n">{number(row.end)}</td>
              <td class={'n ' + (row.lag ? '' : 'minor')}>{number(row.lag)}</td>
            </tr>))}</tbody>
        </table></div>
      )}
    </section>
  );
}

/** Rules that are kept elsewhere: where, and the commands that change them there. */
function EtcdRules({ agent }: { agent: Agent }) {
  const on = `--host ${shellWord(agent.name)} --config agent.yaml`;
  const commands = [`logboom rules list ${on}`, `logboom rules add '/var/log/app/*.log' ${on} --dry-run`, `logboom rules add '/var/log/app/*.log' ${on}`, `logboom rules history ${on}`];
  return (
    <section class="card rules etcd">
      <h2>{t('fleet.rules')}<span class="minor">{t('fleet.inEtcd', { n: agent.rules_applied ?? 0 })}</span></h2>
      <p>{t('fleet.inEtcdHint')}</p>
      {commands.map((command) => (
        <p key={command} class="command"><code>{visible(command)}</code>
          <button class="small" title={t('copy')} aria-label={`${t('copy')}: ${visible(command)}`} onClick={() => void copy(command)}><Icon name="copy" /></button></p>
      ))}
      <p class="hint">{t('fleet.inEtcdFile')} <code>{'rules: {from: etcd}, etcd: {endpoints: [HOST:2379]}'}</code></p>
    </section>
  );
}

function One({ id }: { id: string }) {
  const { value, error, again } = usePoll(() => api.agent(id), 2000);
  return (
    <main class="page fleet one">
      <div class="page-head">
        <button class="link" onClick={() => go({ host: '' })}>{t('nav.fleet')}</button><span class="minor" aria-hidden="true">/</span>
        <h1>{visible(value?.name || id)}</h1>
        {value && <><AgentState agent={value} /><span class="minor">logboom {visible(value.version)} · {t('fleet.seen')} {ago(value.seen)} · <code>{value.id}</code></span></>}
      </div>
      {error && <Problem error={error} again={again} />}
      {value && bad(value) && <div class="notice bad whys"><Icon name="warn" /><div>{!value.online && t('fleet.awaySince', { span: ago(value.seen) })}<Whys agent={value} /></div></div>}
      {value && isTransfer(value) && <Topics topics={value.topics} />}
      {value && !isTransfer(value) && (value.rules_from === 'file' ? <p class="hint">{t('fleet.ownFileHint')}</p> : value.rules_from === 'etcd' ? <EtcdRules agent={value} /> : <HostRules agent={value} />)}
      {value && !isTransfer(value) && <Files agent={value} />}
    </main>
  );
}

export function FleetPage() {
  const id = view.value.host;
  return id ? <One key={id} id={id} /> : <Agents />;
}
