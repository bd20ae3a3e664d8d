// One line in full: its time, where it stands, its fields, its exact text, and its neighbours in the file, endless both ways.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import type { Parsed, Row } from '../api/types';
import { copy } from '../base/clipboard';
import { count, size, span, t, type Key } from '../base/i18n';
import { Icon } from '../base/icons';
import { fullTime, isoTime, msOf, rowTime } from '../base/time';
import { go, view } from '../base/url_state';
import { cut, firstLine, kCut, stampLength, visible, type Mark } from '../text/segments';
import { filter } from './facets';
import { LogText } from './log_text';
import { parseRowId } from './row_id';

const kFull = 65_536;     // bytes asked with the neighbours
const kShownFields = 200;

interface Detail { row: Row; before: Row[]; after: Row[]; firstReached: boolean; lastReached: boolean }

function place(row: Row) {
  return { source: row.source, epoch: row.epoch, offset: row.offset, topic: row.topic };
}

async function load(id: string, signal: AbortSignal): Promise<Detail | undefined> {
  const at = parseRowId(id);
  if (!at) return undefined;
  const { rows, index } = await api.context({ ...at, before: 4, after: 4, text_limit: kFull, parse: true }, signal);
  if (index < 0 || !rows[index] || rows[index].offset !== at.offset) return undefined;
  const before = rows.slice(0, index);
  const after = rows.slice(index + 1);
  return { row: rows[index], before, after, firstReached: before.length < 4, lastReached: after.length < 4 };
}

/** The record with its whole text, whatever was cut on the way here. */
async function whole(row: Row): Promise<Row> {
  if (!row.truncated) return row;
  const { rows, index } = await api.context({ ...place(row), before: 0, after: 0, parse: true });
  return rows[index] ?? row;
}

function jsonOf(row: Row): string {
  const { cursor: _cursor, commit: _commit, parsed, ...rest } = row;
  return JSON.stringify({ ...rest, ...(parsed ? { parsed: Object.fromEntries(parsed.map((p) => [p.name, p.value])) } : {}),
    time_iso: isoTime(row.time, 'utc') }, null, 2);
}

function CopyButton({ label, text }: { label: string; text: () => Promise<string> | string }) {
  const [done, setDone] = useState(false);
  const act = async () => {
    setDone(await copy(await text()));
    setTimeout(() => setDone(false), 1200);
  };
  return <button class="small" onClick={() => void act()} aria-live="polite">{done ? <Icon name="check" /> : null}{label}</button>;
}

const kFold = 16;   // a text of more lines is folded
const kShown = 9;   // to so many

/** The first lines of a long text, and how many are folded away. */
function folded(text: string): { text: string; more: number } {
  const lines = text.split('\n');
  return lines.length > kFold ? { text: lines.slice(0, kShown).join('\n'), more: lines.length - kShown } : { text, more: 0 };
}

function Text({ row, marks, onWhole }: { row: Row; marks: Mark[]; onWhole: (row: Row) => void }) {
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState(false);
  const [loading, setLoading] = useState(false);
  useEffect(() => { setAll(false); setOpen(false); }, [row.id]);
  const limited = all ? row.text : cut(row.text, kCut);
  const { text: shown, more: hidden } = open ? { text: limited, more: 0 } : folded(limited);
  const more = async () => {
    setLoading(true);
    try {
      onWhole(await whole(row));
      setAll(true);
    } finally {
      setLoading(false);
    }
  };
  return (
    <div class="full">
      <LogText tag="pre" class="exact" text={shown} marks={marks} />
      {hidden > 0 && <button class="fold" onClick={() => setOpen(true)}>{t('fold', { n: hidden })}</button>}
      {(limited.length < row.text.length || (row.truncated && !all)) && (
        <button class="link" disabled={loading} onClick={() => void more()}>{t('detail.showAll', { size: size(row.bytes) })}</button>
      )}
      {row.raw && <p class="hint">{t('detail.notUtf8')} <CopyButton label={t('detail.copyBytes')} text={() => row.raw ?? ''} /></p>}
    </div>
  );
}

function Fact({ name, value, field, title }: { name: string; value: string; field?: string; title?: string }) {
  const shown = value.length > 300 ? cut(value, 300) + '…' : value;
  return (
    <>
      <dt title={title ?? name}>{visible(name)}</dt>
      <dd>
        <LogText text={shown} />
        <span class="acts">
          {field && value !== '' && value.length < 1000 && <button title={t('filter.keep')} aria-label={`${t('filter.keep')}: ${visible(name)}`} onClick={() => filter(field, value, true)}><Icon name="plus" /></button>}
          {field && value !== '' && value.length < 1000 && <button title={t('filter.drop')} aria-label={`${t('filter.drop')}: ${visible(name)}`} onClick={() => filter(field, value, false)}><Icon name="minus" /></button>}
          <button title={t('copy')} aria-label={`${t('copy')}: ${visible(name)}`} onClick={() => void copy(value)}><Icon name="copy" /></button>
        </span>
      </dd>
    </>
  );
}

function marksOfRow(row: Row): string {
  const words: Key[] = [];
  if (row.fragment) words.push('detail.fragment');
  if (row.continuation) words.push('detail.continuation');
  if (row.binary) words.push('detail.binary');
  return words.map((word) => t(word)).join(', ');
}

function Facts({ row }: { row: Row }) {
  const { zone } = view.value;
  const parsed: Parsed[] = row.parsed ?? [];
  const flags = marksOfRow(row);
  const origin = row.time_origin && row.time_origin !== 'parsed' ? t(`origin.${row.time_origin}` as Key) : '';
  return (
    <>
      {parsed.length > 0 && <h5>{t('detail.fields')}</h5>}
      <dl class="kv">
        {parsed.slice(0, kShownFields).map((p, i) => <Fact key={i} name={p.name} value={p.value} field={p.name} />)}
      </dl>
      {parsed.length > kShownFields && <p class="hint">{t('detail.moreFields', { n: parsed.length - kShownFields })}</p>}
      <h5>{t('detail.record')}</h5>
      <dl class="kv">
        <Fact name={t('detail.time')} value={fullTime(row.time, zone)} />
        {origin && <Fact name={t('detail.timeOrigin')} value={origin} />}
        <Fact name={t('facet.host')} value={row.host} field="host" />
        <Fact name={t('facet.file')} value={row.file} field="file" />
        <Fact name={t('detail.offset')} value={count(row.offset)} />
        {row.epoch > 0 && <Fact name={t('detail.epoch')} value={String(row.epoch)} title={t('detail.epochTitle')} />}
        <Fact name={t('detail.bytes')} value={row.lines > 1 ? `${count(row.bytes)} · ${t('detail.lines', { n: row.lines })}` : count(row.bytes)} />
        {row.topic && row.topic !== 'logs' && <Fact name={t('facet.topic')} value={row.topic} field="topic" />}
        {Object.entries(row.fields ?? {}).map(([name, value]) => <Fact key={name} name={name} value={value} field={name} />)}
        {flags && <Fact name={t('detail.flags')} value={flags} />}
      </dl>
    </>
  );
}

function Neighbour({ row, current }: { row: Row; current: boolean }) {
  const { line, more } = firstLine(row.text, row.lines);
  const { zone } = view.value;
  const lead = row.time_origin === 'parsed' ? stampLength(line) : 0;
  const body = <><span class={'lv lv-' + (row.level || 'none')} aria-hidden="true" /><span class="t">{rowTime(row.time, zone, false)}</span><LogText class="m" text={cut(line.slice(lead), 500)} />{more > 0 && <span class="fold">{t('fold', { n: more })}</span>}</>;
  if (current) return <div class="nb on" aria-current="true">{body}</div>;
  return <button class="nb" onClick={() => go({ open: row.id })}>{body}</button>;
}

function Neighbours({ detail, change }: { detail: Detail; change: (detail: Detail) => void }) {
  const [problem, setProblem] = useState('');
  const more = async (back: boolean) => {
    const edge = back ? detail.before[0] ?? detail.row : detail.after[detail.after.length - 1] ?? detail.row;
    try {
      const { rows } = await api.context({ ...place(edge), before: back ? 20 : 0, after: back ? 0 : 20, text_limit: 1024 });
      const fresh = rows.filter((row) => (back ? row.offset < edge.offset : row.offset > edge.offset));
      change(back ? { ...detail, before: [...fresh, ...detail.before], firstReached: fresh.length < 20 }
        : { ...detail, after: [...detail.after, ...fresh], lastReached: fresh.length === 0 });
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <div class="neighbours">
      <h5 id="neighbours">{t('detail.neighbours')} <kbd>c</kbd></h5>
      {problem && <p class="hint bad">{problem}</p>}
      {detail.firstReached ? <p class="edge">{t('detail.start')}</p> : <button class="link" onClick={() => void more(true)}><Icon name="up" />{t('detail.earlier')}</button>}
      <div class="nbs">
        {detail.before.map((row) => <Neighbour key={row.id} row={row} current={false} />)}
        <Neighbour row={detail.row} current={true} />
        {detail.after.map((row) => <Neighbour key={row.id} row={row} current={false} />)}
      </div>
      <button class="link" onClick={() => void more(false)}><Icon name="down" />{detail.lastReached ? t('detail.newer') : t('detail.later')}</button>
    </div>
  );
}

function ago(row: Row): string {
  const ms = Date.now() - msOf(row.time);
  return ms >= 0 ? t('detail.ago', { span: span(ms) }) : '';
}

/** `row` is what the list already knows, shown until the answer is here. */
export function Drawer({ id, row, marks }: { id: string; row: Row | undefined; marks: Mark[] }) {
  const [detail, setDetail] = useState<Detail | undefined>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    setProblem('');
    load(id, abort.signal).then((loaded) => {
      if (abort.signal.aborted) return;
      setDetail(loaded);
      if (!loaded && !row) setProblem(t('detail.gone'));
    }, (error) => { if (!abort.signal.aborted) setProblem(error instanceof ApiError ? error.message : t('error.network')); });
    return () => abort.abort();
  }, [id]);
  const current = detail?.row.id === id ? detail : undefined;
  const shown = current?.row ?? row;
  const link = useMemo(() => () => location.href, [id]);
  return (
    <aside class="drawer" aria-label={t('detail.label')} id="drawer">
      <div class="top">
        {shown && <b class={'lv-' + (shown.level || 'none')}>{t(`level.${shown.level || 'none'}` as Key)}</b>}
        <span class="ago">{shown && ago(shown)}</span>
        <span class="grow" />
        {shown && <CopyButton label={t('detail.copyText')} text={async () => (await whole(shown)).text} />}
        {shown && <CopyButton label={t('detail.copyJson')} text={async () => jsonOf(await whole(shown))} />}
        {shown && <CopyButton label={t('detail.copyLink')} text={link} />}
        <button class="ghost small" aria-label={t('close')} title={t('close')} onClick={() => go({ open: '' }, true)}><Icon name="close" /></button>
      </div>
      {problem && <p class="hint bad" role="alert">{problem}</p>}
      {shown && <Text row={shown} marks={marks} onWhole={(full) => { if (current) setDetail({ ...current, row: full }); }} />}
      {shown && <Facts row={shown} />}
      {current && <Neighbours detail={current} change={setDetail} />}
    </aside>
  );
}
