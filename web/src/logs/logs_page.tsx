// Search and live in one page.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { t } from '../base/i18n';
import { Icon } from '../base/icons';
import { facetsShown, lang, stampsShown } from '../base/prefs';
import { rangeToUrl } from '../base/range';
import { dayText, msOf } from '../base/time';
import { go, view } from '../base/url_state';
import { RowList, type RowStyle } from '../list/row_list';
import { marksOf } from '../text/query_words';
import type { Mark } from '../text/segments';
import { Drawer } from './drawer';
import { Facets } from './facets';
import { Histogram } from './histogram';
import { focusQuery, QueryBar, toggleLive } from './query_bar';
import { session } from './session';
import { Notices, StatusLine } from './status_line';

const kRowHeight = 22;

/** One machine: its name in every row would say nothing, the file does. */
const origin = () => ((session.facets.value.find((facet) => facet.field === 'host')?.distinct ?? 0) > 1 ? 'host' : 'file') as 'host' | 'file';

/** Whether times need their day: rows of several days, or not of today. */
function needsDay(): boolean {
  const { rows } = session.buffer;
  if (!rows.length) return false;
  const { zone } = view.value;
  const today = dayText(Date.now(), zone);
  return dayText(msOf(rows[0].time), zone) !== today || dayText(msOf(rows[rows.length - 1].time), zone) !== today;
}

/** Whether someone is selecting text in the list: it must not move under the pointer. */
function selecting(root: HTMLElement | null): boolean {
  const chosen = document.getSelection();
  return !!chosen && !chosen.isCollapsed && !!root?.contains(chosen.anchorNode);
}

class Selection {
  index = -1;
  constructor(private readonly list: () => RowList | undefined, private readonly changed: () => void) {}

  move(to: number): void {
    const { rows } = session.buffer;
    if (!rows.length) return;
    this.index = Math.max(0, Math.min(rows.length - 1, to));
    this.list()?.select(this.index);
    if (view.value.open) go({ open: rows[this.index].id }, true);
    this.changed();
  }

  step(by: number): void {
    this.move(this.index < 0 ? session.buffer.length - 1 : this.index + by);
  }

  /** The next row of one of the levels, from the end of the list when none is chosen. */
  toLevel(names: string[], direction: number): void {
    const { rows } = session.buffer;
    for (let i = this.index < 0 ? rows.length - 1 : this.index + direction; i >= 0 && i < rows.length; i += direction) {
      if (names.includes(rows[i].level)) return this.move(i);
    }
  }

  clear(): void {
    this.index = -1;
    this.list()?.select(-1);
    this.changed();
  }

  open(): void {
    const row = session.buffer.rows[this.index];
    if (row) go({ open: row.id }, view.value.open !== '');
  }
}

function useList(marks: Mark[]) {
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<RowList | undefined>(undefined);
  const [, redraw] = useState(0);
  const dated = useRef(false);
  const selection = useRef<Selection | undefined>(undefined);
  selection.current ??= new Selection(() => list.current, () => redraw((n) => n + 1));
  const style = (): RowStyle => ({ zone: view.value.zone, dated: dated.current, marks, foldText: (n) => t('fold', { n }), cutText: t('cut'), origin: origin() });

  useEffect(() => {
    if (!root.current) return;
    const chosen = selection.current!;
    list.current = new RowList(root.current, {
      rowHeight: kRowHeight,
      onSelect: (index) => chosen.move(index),
      onOpen: (index) => { chosen.move(index); chosen.open(); },
      onScroll: (atStart, atEnd) => {
        if (atStart) session.loadOlder();
        if (atEnd && chosen.index < 0) session.showPending();
      },
    }, style());
    session.atEnd = () => list.current?.atEnd ?? true;
    session.mayAppend = () => chosen.index < 0 && !view.value.open && session.atEnd() && !selecting(root.current);
    session.onRows = (rows, shift, stick) => {
      if (chosen.index >= 0) chosen.index += shift;
      if (needsDay() !== dated.current) {
        dated.current = !dated.current;
        if (root.current) root.current.dataset.dated = String(dated.current);
        list.current?.setStyle(style());
      }
      list.current?.setRows(rows, shift, stick);
      const linked = chosen.index < 0 ? session.buffer.indexOf(view.value.open) : -1;
      if (linked >= 0) chosen.index = linked;
      list.current?.select(chosen.index, linked >= 0);
      if (list.current?.fits) session.loadOlder();
    };
    session.onRows(session.buffer.rows, 0, true);
    return () => { list.current?.destroy(); session.mayAppend = () => false; session.onRows = () => {}; };
  }, []);
  useEffect(() => list.current?.setStyle(style()), [marks, view.value.zone, lang.value, origin()]);
  return { root, list, selection: selection.current };
}

function onKey(event: KeyboardEvent, selection: Selection, list: RowList | undefined): boolean {
  const actions: Record<string, () => void> = {
    '/': focusQuery, j: () => selection.step(1), k: () => selection.step(-1), ArrowDown: () => selection.step(1), ArrowUp: () => selection.step(-1),
    PageDown: () => selection.step(list?.page() ?? 20), PageUp: () => selection.step(-(list?.page() ?? 20)),
    Home: () => selection.move(0), End: () => { selection.clear(); list?.toEnd(); session.showPending(); },
    g: () => selection.move(0), G: () => { selection.clear(); list?.toEnd(); session.showPending(); },
    Enter: () => selection.open(), e: () => selection.toLevel(['error', 'fatal'], -1), E: () => selection.toLevel(['error', 'fatal'], 1),
    w: () => selection.toLevel(['warn'], -1), W: () => selection.toLevel(['warn'], 1), l: toggleLive,
    c: () => { selection.open(); setTimeout(() => document.getElementById('neighbours')?.scrollIntoView({ block: 'start' }), 60); },
    Escape: () => escape(selection, list),
  };
  const action = actions[event.key];
  if (!action) return false;
  action();
  return true;
}

function escape(selection: Selection, list: RowList | undefined): void {
  if (session.running.value) session.cancel();
  else if (view.value.open) go({ open: '' }, true);
  else {
    selection.clear();
    if (list?.atEnd) session.showPending();
  }
}

const typing = (target: EventTarget | null) => target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;

export function LogsPage() {
  const { query, range, open } = view.value;
  const note = session.note.value;
  const marks = useMemo(() => marksOf(query, note !== null), [query, note !== null]);
  const { root, list, selection } = useList(marks);
  const rangeKey = rangeToUrl(range);
  useEffect(() => {
    selection.clear();
    session.run();
    return () => session.stop();
  }, [query, rangeKey]);
  useEffect(() => {
    const handle = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
      const inField = typing(event.target);
      if (inField && event.key === 'Escape') (event.target as HTMLElement).blur();
      if (inField && !(event.key === 'Escape' && session.running.value)) return;
      if (event.key === 'Enter' && (event.target as Element).closest?.('button, a')) return;
      if (onKey(event, selection, list.current)) event.preventDefault();
    };
    addEventListener('keydown', handle);
    return () => removeEventListener('keydown', handle);
  }, []);
  const row = open ? session.buffer.rows[session.buffer.indexOf(open)] : undefined;
  const empty = !session.running.value && session.count.value === 0 && !session.problem.value && session.stats.value;
  return (
    <>
      <h1 class="unseen">{t('nav.logs')}</h1>
      <QueryBar />
      <Histogram />
      <main class="logs">
        {facetsShown.value && <Facets />}
        <section class="list">
          <StatusLine />
          <Notices />
          <div class={'rows' + (stampsShown.value ? ' stamps' : '')} ref={root} role="grid" tabIndex={0} aria-label={t('list.label')} aria-colcount={4} />
          {empty && <Empty />}
          {session.pending.value > 0 && (
            <button class="pill" onClick={() => { selection.clear(); if (open) go({ open: '' }, true); session.showPending(); list.current?.toEnd(); }}>
              <Icon name="arrowDown" />{t('live.pending', { n: session.pending.value })}
            </button>
          )}
        </section>
        {open && <Drawer id={open} row={row} marks={marks} />}
      </main>
    </>
  );
}

function Empty() {
  const { query, range } = view.value;
  return (
    <div class="empty">
      <p><b>{t('empty.title')}</b></p>
      <p>{query ? t('empty.query') : t('empty.range')}</p>
      <p class="row-of">
        {range.kind !== 'all' && <button onClick={() => go({ range: { kind: 'all' } })}>{t('empty.allTime')}</button>}
        {query && <button onClick={() => go({ query: '' })}>{t('empty.clear')}</button>}
      </p>
    </div>
  );
}
