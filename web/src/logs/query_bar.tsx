// The query: an input with its own colours behind the text, so that fields and operators are told apart while typing, and a
// list of what may follow.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import { count, t } from '../base/i18n';
import { Icon } from '../base/icons';
import { endsNow } from '../base/range';
import { go, view } from '../base/url_state';
import { tokens } from '../text/query_words';
import { visible } from '../text/segments';
import { completed, namesFor, placeAt, type Place } from './complete';
import { session } from './session';
import { TimePicker } from './time_picker';

export function focusQuery(): void {
  const input = document.getElementById('query') as HTMLInputElement | null;
  input?.focus();
  input?.select();
}

export function toggleLive(): void {
  const { live, range } = view.value;
  if (!endsNow(range)) go({ live: true, range: { kind: 'last', ms: 30 * 60_000 }, open: '' });
  else {
    go({ live: !live }, true);
    session.setLive(!live);
  }
}

const builtin = ['level', 'host', 'file', 'topic', 'rule', 'source'];
interface Choice { value: string; count?: number }

async function choicesFor(place: Place, signal: AbortSignal): Promise<Choice[]> {
  if (place.kind === 'field') {
    if (!session.fields.value) void session.loadFields();
    const names = [...builtin, ...(session.fields.value ?? []).map((field) => field.name)];
    return namesFor(place.typed, names).map((value) => ({ value }));
  }
  // Values within the time range, whatever else is typed: half a query would hide what is looked for.
  const answer = await api.values({ ...session.params(), q: undefined, field: place.field, prefix: place.typed, limit: 8, deadline: '2s' }, signal);
  return answer.values.filter((each) => each.value !== '' && each.value !== place.typed);
}

/** The choices at the cursor, asked for a moment after the last key. */
function useChoices(text: string, cursor: number, active: boolean) {
  const [choices, setChoices] = useState<Choice[]>([]);
  const place = active ? placeAt(text, cursor) : undefined;
  const key = place ? `${place.kind} ${place.field} ${place.typed}` : '';
  useEffect(() => {
    setChoices([]);
    if (!place) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      choicesFor(place, abort.signal).then((list) => { if (!abort.signal.aborted) setChoices(list); }, () => {});
    }, place.kind === 'field' ? 0 : 150);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [key, session.fields.value]);
  return { place, choices };
}

export function QueryBar() {
  const { query, live, range } = view.value;
  const running = session.running.value;
  const isLive = live && endsNow(range);
  const [text, setText] = useState(query);
  useEffect(() => setText(query), [query]);
  const run = (next: string) => {
    if (next.trim() === query.trim()) session.run();
    else go({ query: next.trim(), open: '' });
  };
  return (
    <form class="query" role="search" onSubmit={(event) => { event.preventDefault(); run(text); }}>
      <div class="in">
        <Icon name="search" />
        <Field text={text} setText={setText} />
        {text && <button type="button" class="ghost small" aria-label={t('query.clear')} title={t('query.clear')} onClick={() => { setText(''); go({ query: '', open: '' }); focusQuery(); }}><Icon name="close" /></button>}
        <kbd title={t('query.focus')}>/</kbd>
      </div>
      <TimePicker />
      <button type="button" class={'tall live ' + (isLive ? 'on' : '')} aria-pressed={isLive} onClick={toggleLive} title={t('live.title')}>
        <span class={'pulse ' + (isLive ? session.liveState.value : '')} aria-hidden="true" />{t('live')} <kbd>l</kbd>
      </button>
      {running ? <button type="button" class="tall stop" onClick={() => session.cancel()}>{t('query.cancel')}</button>
        : <button class="go tall">{t('query.run')}</button>}
    </form>
  );
}

function Field({ text, setText }: { text: string; setText: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const overlay = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState(0);
  const [asked, setAsked] = useState(false);   // the person typed: before that no list covers the page
  const [at, setAt] = useState(-1);
  const { place, choices } = useChoices(text, cursor, asked);
  const shown = asked && place && choices.length > 0;
  useEffect(() => setAt(-1), [choices]);
  useEffect(() => { if (overlay.current && input.current) overlay.current.scrollLeft = input.current.scrollLeft; }, [text]);
  const take = (choice: Choice) => {
    if (!place) return;
    const next = completed(text, place, choice.value);
    setText(next.text);
    setCursor(next.cursor);
    requestAnimationFrame(() => { input.current?.focus(); input.current?.setSelectionRange(next.cursor, next.cursor); });
  };
  const key = (event: KeyboardEvent) => {
    if (!shown) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step) setAt((at + step + choices.length + 1) % (choices.length + 1) - (at + step < 0 && at < 0 ? 1 : 0));
    else if (event.key === 'Tab' || (event.key === 'Enter' && at >= 0)) take(choices[Math.max(0, at)]);
    else if (event.key === 'Escape') setAsked(false);
    else {
      if (event.key === 'Enter') setAsked(false);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="field">
      <div class="overlay" ref={overlay} aria-hidden="true">{tokens(text).map((token, i) => <span key={i} class={'q-' + token.kind}>{token.text}</span>)}</div>
      <input id="query" ref={input} value={text} spellcheck={false} autocomplete="off" autocapitalize="off" aria-label={t('query.label')}
        role="combobox" aria-expanded={!!shown} aria-controls="choices" aria-autocomplete="list" aria-activedescendant={shown && at >= 0 ? `choice-${at}` : undefined}
        placeholder={t('query.placeholder')} onKeyDown={key} onBlur={() => setAsked(false)}
        onInput={(event) => { setText(event.currentTarget.value); setCursor(event.currentTarget.selectionStart ?? 0); setAsked(true); }}
        onScroll={(event) => { if (overlay.current) overlay.current.scrollLeft = event.currentTarget.scrollLeft; }} />
      {shown && (
        <ul id="choices" role="listbox" class="menu choices">
          {choices.map((choice, i) => (
            <li key={choice.value} id={`choice-${i}`} role="option" aria-selected={i === at} class={i === at ? 'on' : ''}
              onPointerDown={(event) => { event.preventDefault(); take(choice); }}>
              <span>{visible(choice.value)}{place.kind === 'field' && <i>:</i>}</span>{choice.count !== undefined && <em>{count(choice.count)}</em>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
