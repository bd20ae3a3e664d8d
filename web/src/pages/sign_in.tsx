// Shown when the server answers 401: the session has ended. A fresh one-time address comes from the command line.
import { useState } from 'preact/hooks';
import { t } from '../base/i18n';
import { Snippet } from './add';

/** The token of a pasted sign-in address, or of a bare token. */
export function tokenOf(text: string): string | undefined {
  const trimmed = text.trim();
  const match = /[?&]token=([^&#\s]+)/.exec(trimmed);
  if (match) {
    try {
      return decodeURIComponent(match[1]);
    } catch {
      return undefined;
    }
  }
  return /^[A-Za-z0-9_\-.]{16,512}$/.test(trimmed) ? trimmed : undefined;
}

export function SignInPage() {
  const [text, setText] = useState('');
  const token = tokenOf(text);
  return (
    <main class="page sign-in">
      <h1>{t('signin.title')}</h1>
      <p class="lead">{t('signin.lead')}</p>
      <Snippet text="logboom login" />
      <form method="post" action="signin" onSubmit={(event) => { if (!token) event.preventDefault(); }}>
        <label for="address">{t('signin.paste')}</label>
        <div class="row-of">
          <input id="address" type="password" autocomplete="off" spellcheck={false} value={text} placeholder="http://127.0.0.1:7117/signin?token=…" onInput={(event) => setText(event.currentTarget.value)} />
          <input type="hidden" name="token" value={token ?? ''} />
          <button class="go" disabled={!token}>{t('signin.go')}</button>
        </div>
        {text.trim() && !token && <p class="hint bad" role="alert">{t('signin.unknown')}</p>}
      </form>
    </main>
  );
}
