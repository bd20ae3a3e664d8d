// The query: an input with its own colours behind the text, so that fields and operators are told apart while typing.
import { useEffect, useRef, useState } from 'preact/hooks';
import { endsNow } from '../base/range';
import { t } from '../base/i18n';
import { Icon } from '../base/icons';
import { go, view } from '../base/url_state';
import { tokens } from '../text/query_words';
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

export function QueryBar() {
  const { query, live, range } = view.value;
  const [text, setText] = useState(query);
  const overlay = useRef<HTMLDivElement>(null);
  useEffect(() => setText(query), [query]);
  const running = session.running.value;
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() === query.trim()) session.run();
    else go({ query: text.trim(), open: '' });
  };
  const isLive = live && endsNow(range);
  return (
    <form class="query" role="search" onSubmit={submit}>
      <div class="in">
        <Icon name="search" />
        <div class="field">
          <div class="overlay" ref={overlay} aria-hidden="true">{tokens(text).map((token, i) => <span key={i} class={'q-' + token.kind}>{token.text}</span>)}</div>
          <input id="query" value={text} spellcheck={false} autocomplete="off" autocapitalize="off" aria-label={t('query.label')}
            placeholder={t('query.placeholder')} onInput={(event) => setText(event.currentTarget.value)}
            onScroll={(event) => { if (overlay.current) overlay.current.scrollLeft = event.currentTarget.scrollLeft; }} />
        </div>
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
