// All matches as a file, and the same search for the command line and for curl.
import { useEffect, useRef, useState } from 'preact/hooks';
import { urlOf } from '../api/client';
import { t } from '../base/i18n';
import { Icon } from '../base/icons';
import { bounds, durationText } from '../base/range';
import { isoTime, nsOf } from '../base/time';
import { view } from '../base/url_state';
import { Snippet } from '../pages/add';
import { session } from './session';
import { shellQuote } from './shell';

function commands(): { search: string; curl: string } {
  const { query, range } = view.value;
  const { from, to } = bounds(range, Date.now());
  const text = query.trim();
  const flag = (name: string, ms: number | undefined) => (ms === undefined ? '' : ` --${name} ${isoTime(nsOf(ms), 'utc')}`);
  const relative = range.kind === 'last' ? ` --from -${durationText(range.ms)}` : flag('from', from);
  const search = `logboom search --all${relative}${flag('to', to)}${text ? ` ${text.startsWith('-') ? '-- ' : ''}${shellQuote(text)}` : ''}`;
  const url = urlOf('api/v1/export/rows', { ...session.params(Date.now()), format: 'ndjson' });
  return { search, curl: `curl -H "Authorization: Bearer $LOGBOOM_TOKEN" ${shellQuote(url)}` };
}

export function ExportMenu() {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => { if (!root.current?.contains(event.target as Node)) setOpen(false); };
    addEventListener('pointerdown', away);
    return () => removeEventListener('pointerdown', away);
  }, [open]);
  return (
    <div class="export" ref={root} onKeyDown={(event) => { if (event.key === 'Escape' && open) { setOpen(false); event.stopPropagation(); } }}>
      <button class="ghost small" aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)}><Icon name="export" />{t('export')}</button>
      {open && <Panel />}
    </div>
  );
}

function Panel() {
  const { search, curl } = commands();
  const params = session.params(Date.now());
  return (
    <div class="menu export-menu" role="dialog" aria-label={t('export')}>
      <p class="hint">{t('export.all')}</p>
      <div class="row-of">
        {(['text', 'ndjson', 'csv'] as const).map((format) => (
          <a key={format} class="button" href={urlOf('api/v1/export/rows', { ...params, format })} download={`logs.${format === 'text' ? 'log' : format}`}>{t(`export.${format}`)}</a>
        ))}
      </div>
      <p class="hint">{t('export.command')}</p>
      <Snippet text={search} />
      <p class="hint">curl</p>
      <Snippet text={curl} />
    </div>
  );
}
