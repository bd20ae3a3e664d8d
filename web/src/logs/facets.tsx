// The left side: the most frequent values of level, host and file come with the search; other fields are asked for when opened.
import { useEffect, useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import { levels, type FieldValues } from '../api/types';
import { copy } from '../base/clipboard';
import { count, short, t, type Key } from '../base/i18n';
import { Icon } from '../base/icons';
import { go, view } from '../base/url_state';
import { visible } from '../text/segments';
import { hasTerm, withFilter } from '../text/query_words';
import { facetNames, session } from './session';

export function filter(field: string, value: string, keep: boolean): void {
  go({ query: withFilter(view.value.query, field, value, keep), open: '' });
}

function Value({ field, value: given, exact, n, most }: { field: string; value: string; exact: boolean; n: number; most: number }) {
  const level = field === 'level';
  const value = level ? given || 'none' : given;  // a query names the missing level so
  const on = hasTerm(view.value.query, field, value);
  const shown = level ? t(`level.${value}` as Key) : visible(value) || t('facets.empty');
  const usable = value !== '' && exact;  // bytes that are no text cannot be typed into a query
  return (
    <div class={'fv ' + (on ? 'on' : '')}>
      <u style={{ width: `${most ? Math.max(1, n / most * 100) : 0}%` }} />
      <button class="pick" disabled={!usable} title={shown} aria-pressed={on} onClick={() => filter(field, value, true)}>
        {level && <span class={'dot bar-' + value} aria-hidden="true" />}
        <span class={'name ' + (field === 'file' ? 'tail' : '')}><bdi>{shown}</bdi></span>
      </button>
      <em title={count(n)}>{n >= 1_000_000 ? short(n) : count(n)}</em>
      {usable && (
        <span class="acts">
          <button title={t('filter.drop')} aria-label={`${t('filter.drop')}: ${shown}`} onClick={() => filter(field, value, false)}><Icon name="minus" /></button>
          <button title={t('copy')} aria-label={`${t('copy')}: ${shown}`} onClick={() => void copy(value)}><Icon name="copy" /></button>
        </span>
      )}
    </div>
  );
}

function Facet({ facet, title, close }: { facet: FieldValues; title: string; close?: () => void }) {
  const [all, setAll] = useState<FieldValues | undefined>();
  useEffect(() => setAll(undefined), [facet.values.length, facet.distinct, session.ran.value]);
  const shown = all ?? facet;
  const most = Math.max(0, ...shown.values.map((value) => value.count));
  const more = shown.values.length < shown.distinct && !all;
  const loadAll = () => api.values({ ...session.params(), field: facet.field, limit: 100 }).then(setAll, () => {});
  return (
    <section class="facet">
      <h4>{title}<span>{!shown.exact && t('facets.atLeast')}
        {more && <button class="link" onClick={loadAll}>{t('facets.more', { n: shown.distinct })}</button>}
        {close && <button class="link" aria-label={t('close')} onClick={close}><Icon name="close" /></button>}</span></h4>
      {shown.values.map(({ value, value_raw: raw, count: n }) => <Value key={raw ?? value} field={facet.field} value={value} exact={!raw} n={n} most={most} />)}
      {shown.values.length === 0 && <p class="none">{t('facets.none')}</p>}
    </section>
  );
}

function FieldFacet({ field, close }: { field: string; close: () => void }) {
  const [facet, setFacet] = useState<FieldValues | undefined>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    setProblem('');
    api.values({ ...session.params(), field, limit: 10 }, abort.signal)
      .then(setFacet, (error) => { if (!abort.signal.aborted) setProblem(error instanceof ApiError ? error.message : String(error)); });
    return () => abort.abort();
  }, [field, session.ran.value]);
  if (problem) return <section class="facet"><h4>{visible(field)}</h4><p class="none">{problem}</p></section>;
  if (!facet) return <section class="facet"><h4>{visible(field)}</h4><p class="none">…</p></section>;
  return <Facet facet={facet} title={visible(field)} close={close} />;
}

function Fields() {
  const [open, setOpen] = useState<string[]>([]);
  const [listed, setListed] = useState(false);
  const fields = session.fields.value;
  const ran = session.ran.value;
  useEffect(() => { if (listed && !fields) void session.loadFields(); }, [listed, ran]);
  const rest = (fields ?? []).filter((f) => !open.includes(f.name) && !facetNames.includes(f.name)).slice(0, 60);
  return (
    <>
      {open.map((field) => <FieldFacet key={field} field={field} close={() => setOpen(open.filter((each) => each !== field))} />)}
      <section class="facet">
        <h4><button class="link plain" aria-expanded={listed} onClick={() => setListed(!listed)}><Icon name={listed ? 'down' : 'right'} />{t('facets.fields')}</button></h4>
        {listed && !fields && <p class="none">…</p>}
        {listed && fields && rest.length === 0 && <p class="none">{t('facets.noFields')}</p>}
        {listed && rest.map((f) => (
          <div class="fv" key={f.name}><button class="pick" onClick={() => setOpen([...open, f.name])}><span class="name">{visible(f.name)}</span></button><em>{short(f.records)}</em></div>
        ))}
      </section>
    </>
  );
}

/** The lines without a level, where the server counts only those that have one. */
function withNone(facet: FieldValues): FieldValues['values'] {
  const values = [...facet.values];
  const stats = session.stats.value;
  if (!stats?.exact || !facet.exact || session.running.value || values.some(({ value }) => !value || value === 'none')) return values;
  const rest = stats.records - values.reduce((sum, value) => sum + value.count, 0);
  return rest > 0 ? [...values, { value: '', count: rest }] : values;
}

/** Levels stand by weight, so that they keep their places while counts change. */
function ordered(facet: FieldValues): FieldValues {
  if (facet.field !== 'level') return facet;
  const weight = (value: string) => levels.indexOf((value || 'none') as never);
  return { ...facet, values: withNone(facet).sort((a, b) => weight(b.value) - weight(a.value)) };
}

export function Facets() {
  const facets = session.facets.value;
  return (
    <aside class="facets" aria-label={t('facets.label')}>
      {facets.map((facet) => <Facet key={facet.field} facet={ordered(facet)} title={t(`facet.${facet.field}` as Key)} />)}
      <Fields />
    </aside>
  );
}
