// The time range: one button, behind it presets and a field for typed words.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../base/i18n';
import { Icon } from '../base/icons';
import { rememberZone } from '../base/prefs';
import { kAll, parsePoint, parseRange, presets, parseDuration, rangeText, type Range } from '../base/range';
import { go, view } from '../base/url_state';

const kAround = 5 * 60_000;

export function presetText(ms: number): string {
  const units = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const;
  for (const [unit, size] of units) if (ms >= size && ms % size === 0) return t(`time.last.${unit}`, { n: ms / size });
  return t('time.last.s', { n: Math.round(ms / 1000) });
}

function title(range: Range): string {
  if (range.kind === 'all') return t('time.all');
  if (range.kind === 'last') return presetText(range.ms);
  return '';
}

function set(range: Range): void {
  go({ range, open: '' });
}

/** `all`: what is shown of a page that does not go back without end, where no time is chosen. */
export function TimePicker({ all }: { all?: Range }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const { zone } = view.value;
  const range = view.value.range.kind === 'all' && all ? all : view.value.range;
  useEffect(() => {
    if (!open) return;
    const away = (event: Event) => { if (!root.current?.contains(event.target as Node)) setOpen(false); };
    addEventListener('pointerdown', away);
    return () => removeEventListener('pointerdown', away);
  }, [open]);
  const name = title(range);
  const detail = range.kind === 'fixed' ? rangeText(range, Date.now(), zone) : '';
  return (
    <div class="time" ref={root} onKeyDown={(event) => { if (event.key === 'Escape' && open) { setOpen(false); event.stopPropagation(); } }}>
      <button class="tall" aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(!open)} id="time-button">
        <span class="label">{name}{detail && <span class="tabular">{detail}</span>}</span><Icon name="down" />
      </button>
      {open && <Panel range={range} withAll={!all} close={() => setOpen(false)} />}
    </div>
  );
}

function Panel({ range, withAll, close }: { range: Range; withAll: boolean; close: () => void }) {
  const [text, setText] = useState('');
  const { zone } = view.value;
  const now = Date.now();
  const parsed = text.trim() ? parseRange(text, now, zone) : undefined;
  const point = parsed?.kind === 'fixed' && parsed.to === undefined ? parsePoint(text, now, zone) : undefined;
  const pick = (next: Range) => { set(next); close(); };
  return (
    <div class="menu time-menu" role="dialog" aria-label={t('time.choose')}>
      <form onSubmit={(event) => { event.preventDefault(); if (parsed) pick(parsed); }}>
        <input autofocus ref={(input) => { if (input && !text) input.focus(); }} value={text} aria-label={t('time.typed')}
          placeholder={t('time.placeholder')} spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} />
        <button class="go" disabled={!parsed}>{t('time.apply')}</button>
      </form>
      <p class={'hint ' + (text.trim() && !parsed ? 'bad' : '')}>
        {!text.trim() ? t('time.examples') : !parsed ? t('time.unknown')
          : parsed.kind === 'all' ? t('time.all') : rangeText(parsed, now, zone)}
      </p>
      {point && (
        <button class="ghost" onClick={() => pick({ kind: 'fixed', from: point.at - kAround, to: point.at + kAround })}>{t('time.around')}</button>
      )}
      <div class="presets">
        {withAll && <button class={range.kind === 'all' ? 'on' : ''} onClick={() => pick(kAll)}>{t('time.all')}</button>}
        {presets.map((preset) => {
          const ms = parseDuration(preset) ?? 0;
          return <button key={preset} class={range.kind === 'last' && range.ms === ms ? 'on' : ''} onClick={() => pick({ kind: 'last', ms })}>{presetText(ms)}</button>;
        })}
      </div>
      <div class="zones" role="radiogroup" aria-label={t('time.zone')}>
        <span>{t('time.zone')}</span>
        {(['local', 'utc'] as const).map((each) => (
          <button key={each} role="radio" aria-checked={zone === each} class={zone === each ? 'on' : ''} onClick={() => { rememberZone(each); go({ zone: each }, true); }}>
            {each === 'utc' ? 'UTC' : t('time.local', { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}
          </button>
        ))}
      </div>
    </div>
  );
}
