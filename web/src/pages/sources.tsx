// Every file known: what state it is in, how far it is read, and what is wrong with it.
import { useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Source } from '../api/types';
import { count, short, size, span, t, type Key } from '../base/i18n';
import { Icon } from '../base/icons';
import { usePoll } from '../base/poll';
import { msOf } from '../base/time';
import { go } from '../base/url_state';
import { visible } from '../text/segments';
import { withFilter } from '../text/query_words';
import { Problem } from './problem';

type Order = 'file' | 'state' | 'size' | 'lag' | 'records' | 'last';
const kMost = 500;
const states = ['active', 'idle', 'waiting', 'rotated', 'finished', 'stored', 'alias', 'binary', 'missing', 'unreadable'];
const bad = (source: Source) => source.problem !== '' || source.state === 'unreadable';

const keys: Record<Order, (s: Source) => number | string> = {
  file: (s) => s.file, state: (s) => (bad(s) ? 'a' : 'b') + s.state, size: (s) => -(s.size ?? s.acknowledged), lag: (s) => -(s.lag ?? 0),
  records: (s) => -s.records, last: (s) => -msOf(s.last_seen ?? '0'),
};

function sorted(list: Source[], order: Order): Source[] {
  const key = keys[order];
  return [...list].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    return (x < y ? -1 : x > y ? 1 : 0) || Number(bad(b)) - Number(bad(a)) || (a.file < b.file ? -1 : 1);
  });
}

export function Read({ source }: { source: { size: number | null; acknowledged: number } }) {
  if (source.size === null) return <span class="minor">{size(source.acknowledged)}</span>;
  const part = source.size > 0 ? Math.min(1, source.acknowledged / source.size) : 1;
  return (
    <span class="read" title={`${count(source.acknowledged)} / ${count(source.size)}`}>
      <span class="lag-bar"><i style={{ width: `${part * 100}%` }} /></span>{part >= 1 ? t('sources.all') : `${Math.floor(part * 1000) / 10} %`}
    </span>
  );
}

export function FileState({ state }: { state: string }) {
  return <span class={'state s-' + state}><span class="dot" />{states.includes(state) ? t(`state.${state}` as Key) : state}</span>;
}

/** Its lines by name; by id where the name is not text. */
const queryFor = (source: Source) => (source.file_raw ? withFilter('', 'source', source.source, true) : withFilter('', 'file', source.file, true));

function Line({ source }: { source: Source }) {
  const seen = source.last_seen && source.last_seen !== '0' ? Date.now() - msOf(source.last_seen) : undefined;
  return (
    <tr class={bad(source) ? 'problem' : ''}>
      <td class="path"><button class="link plain" title={t('sources.show')} onClick={() => go({ page: 'logs', query: queryFor(source), range: { kind: 'all' }, open: '' })}><code>{visible(source.file)}</code></button>
        {source.problem && <div class="why">{visible(source.problem)}</div>}</td>
      <td><FileState state={source.state} /></td>
      <td class="n">{source.size === null ? '–' : size(source.size)}</td>
      <td><Read source={source} /></td>
      <td class={'n ' + (source.lag ? '' : 'minor')}>{source.lag === null ? '–' : source.lag ? size(source.lag) : '0'}</td>
      <td class="n">{count(source.records)}</td>
      <td class="n minor">{seen === undefined ? '–' : t('detail.ago', { span: span(Math.max(0, seen)) })}</td>
    </tr>
  );
}

const columns: [Order | undefined, Key, boolean][] = [['file', 'sources.file', false], ['state', 'sources.state', false], ['size', 'sources.size', true],
  [undefined, 'sources.read', false], ['lag', 'sources.lag', true], ['records', 'sources.records', true], ['last', 'sources.last', true]];

/** A head whose columns (key, title, numbers to the right) sort; one without a key does not. */
export function SortHead<O extends string>({ columns, order, setOrder }: { columns: [O | undefined, Key, boolean][]; order: O; setOrder: (order: O) => void }) {
  return (
    <thead><tr>
      {columns.map(([key, name, right]) => (
        <th key={name} class={right ? 'n' : ''} aria-sort={key === order ? 'ascending' : undefined}>
          {key ? <button class={'link plain ' + (key === order ? 'on' : '')} onClick={() => setOrder(key)}>{t(name)}</button> : t(name)}
        </th>
      ))}
    </tr></thead>
  );
}

export function SourcesPage() {
  const { value, error, again } = usePoll(api.sources, 3000);
  const [text, setText] = useState('');
  const [order, setOrder] = useState<Order>('file');
  const list = value?.sources ?? [];
  const found = sorted(list.filter((s) => s.file.toLowerCase().includes(text.toLowerCase())), order);
  const problems = list.filter(bad).length;
  return (
    <main class="page">
      <div class="page-head">
        <h1>{t('nav.sources')}</h1>
        {value && <span class="minor">{t('sources.count', { n: list.length })}{problems > 0 && <b class="bad"> · {t('sources.problems', { n: problems })}</b>}</span>}
        <span class="grow" />
        <label class="find"><Icon name="search" /><input value={text} placeholder={t('sources.find')} aria-label={t('sources.find')} onInput={(event) => setText(event.currentTarget.value)} /></label>
      </div>
      {error && <Problem error={error} again={again} />}
      {value && (
        <div class="scroll-x"><table>
          <SortHead columns={columns} order={order} setOrder={setOrder} />
          <tbody>{found.slice(0, kMost).map((source) => <Line key={source.source + source.epoch + source.topic} source={source} />)}</tbody>
        </table></div>
      )}
      {found.length > kMost && <p class="hint">{t('sources.cut', { n: found.length - kMost })}</p>}
      {value && found.length === 0 && <p class="hint">{list.length ? t('sources.noneFound') : t('sources.none')}</p>}
      {value && found.length > 0 && <p class="hint">{t('sources.total', { size: size(list.reduce((n, s) => n + (s.size ?? s.acknowledged), 0)), records: short(list.reduce((n, s) => n + s.records, 0)) })}</p>}
    </main>
  );
}
