// What the search found and what it cost, over the list; below it what a reader must know: a note, an error, sampling.
import { count, short, size, span, t } from '../base/i18n';
import { Icon } from '../base/icons';
import { clockText, dayText, msOf } from '../base/time';
import { facetsShown, stampsShown } from '../base/prefs';
import { go, view } from '../base/url_state';
import { ExportMenu } from './export_menu';
import { session } from './session';

function moment(ns: string): string {
  const { zone } = view.value;
  const ms = msOf(ns);
  const day = dayText(ms, zone);
  return `${day === dayText(Date.now(), zone) ? '' : day + ' '}${clockText(ms, zone)}`;
}

function Found() {
  const stats = session.stats.value;
  const running = session.running.value;
  if (!stats) return <span>{running ? t('status.searching') : ''}</span>;
  const folded = stats.lines > stats.records;
  const records = stats.records + session.liveAdded.value;
  return (
    <span class="found"><b>{stats.exact ? '' : '≥ '}{count(records)}</b> {folded ? t('status.entries', { n: records }) : t('status.records', { n: records })}
      {folded && <span class="minor"> · {t('status.lines', { n: stats.lines })}</span>}</span>
  );
}

function Cost() {
  const stats = session.stats.value;
  if (!stats) return null;
  const running = session.running.value;
  const far = Number(stats.searched_back_to ?? 0) > -8e18 && stats.searched_back_to && stats.searched_back_to !== '0';
  const back = (running || stats.partial || session.cancelled.value) && far ? t('status.backTo', { time: moment(stats.searched_back_to!) }) : '';
  const cost = `${span(Number(stats.elapsed) / 1e6)} · ${t('status.read', { size: size(stats.bytes_read) })}`;
  return <span class="minor tabular">{[back, cost].filter(Boolean).join(' · ')}</span>;
}

export function StatusLine() {
  const stats = session.stats.value;
  const running = session.running.value;
  const part = stats && stats.blocks_total > 0 ? Math.min(1, stats.blocks_read / stats.blocks_total) : 0;
  return (
    <div class="meta" role="status">
      <button class="ghost small" aria-pressed={facetsShown.value} aria-label={t('facets.toggle')} title={t('facets.toggle')} onClick={() => { facetsShown.value = !facetsShown.value; }}><Icon name="panel" /></button>
      <Found />
      {running && <span class={'prog ' + (part ? '' : 'unknown')}><i style={{ width: `${Math.max(4, part * 100)}%` }} /></span>}
      <Cost />
      {session.cancelled.value && <span class="warn">{t('status.cancelled')}</span>}
      {stats?.partial && <span class="warn">{t('status.partial')}</span>}
      {session.cut.value && <span class="warn">{t('status.cut')}</span>}
      {stats && stats.damaged_blocks > 0 && <span class="bad">{t('status.damaged', { n: stats.damaged_blocks })}</span>}
      <span class="grow" />
      <button class={'ghost small ' + (stampsShown.value ? 'on' : '')} aria-pressed={stampsShown.value} title={t('list.stampsTitle')} onClick={() => { stampsShown.value = !stampsShown.value; }}>{t('list.stamps')}</button>
      <ExportMenu />
      {running ? <span class="minor"><kbd>Esc</kbd> {t('status.escCancels')}</span> : session.liveState.value === 'waiting' ? <span class="warn">{t('live.reconnecting')}</span> : null}
    </div>
  );
}

export function Notices() {
  const note = session.note.value;
  const problem = session.problem.value;
  const skipped = session.skipped.value;
  return (
    <>
      {note && <div class="notice" role="status"><Icon name="warn" /><span>{t('note.asText')} <em>{note.message}</em></span>
        <button class="link" onClick={() => go({ query: repaired(view.value.query) })}>{t('note.fix', { query: repaired(view.value.query) })}</button></div>}
      {problem && <div class="notice bad" role="alert"><Icon name="warn" /><span>{problem.code === 'network' ? t('error.network') : problem.message}{problem.hint && <em> {problem.hint}</em>}</span>
        <button class="link" onClick={() => session.run()}>{t('error.again')}</button></div>}
      {skipped > 0 && <div class="notice" role="status"><Icon name="warn" /><span>{t('live.sampled', { n: short(skipped) })}</span>
        <button class="link" onClick={() => session.run()}>{t('live.showAll')}</button></div>}
    </>
  );
}

/** The fix offered for a query that did not parse: its words without the signs, else all of it as one phrase. */
function repaired(query: string): string {
  const words = query.replace(/["()[\]{}~=/\\]+/g, ' ').replace(/(^|\s)(AND|OR|NOT|-)(?=\s|$)/g, ' ').replace(/\s+/g, ' ').trim();
  return words || `"${query.trim().replace(/["\\]/g, '\\$&')}"`;
}
