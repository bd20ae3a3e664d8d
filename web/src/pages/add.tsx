// The first page while nothing is stored: how to get lines in, and a box that turns green at the first one.
import { useEffect, useState } from 'preact/hooks';
import { Live } from '../api/live';
import type { Row } from '../api/types';
import { copy } from '../base/clipboard';
import { t, type Key } from '../base/i18n';
import { Icon } from '../base/icons';
import { go } from '../base/url_state';
import { cut, firstLine, visible } from '../text/segments';
import { LogText } from '../logs/log_text';

export function Snippet({ text }: { text: string }) {
  const [done, setDone] = useState(false);
  const act = async () => {
    setDone(await copy(text));
    setTimeout(() => setDone(false), 1500);
  };
  return (
    <div class="snippet"><code>{text}</code>
      <button class="small" onClick={() => void act()} aria-label={`${t('copy')}: ${text}`}><Icon name={done ? 'check' : 'copy'} />{done ? t('copied') : t('copy')}</button>
    </div>
  );
}

const snippets: [Key, Key, string][] = [
  ['add.running', 'add.runningHint', 'logboom rules add /path/to/app.log'],
  ['add.import', 'add.importHint', 'logboom import /path/to/old/*.log.gz'],
  ['add.try', 'add.tryHint', 'logboom generate /tmp/sample --rate 50 --format mixed'],
  ['add.pipe', 'add.pipeHint', 'journalctl -o short-iso | logboom import - --name journal'],
];

function useFirstLine(empty: boolean): { row: Row | undefined; state: string } {
  const [row, setRow] = useState<Row | undefined>();
  const [state, setState] = useState('waiting');
  useEffect(() => {
    const live = new Live('', empty ? 0 : undefined, 1024, { onRows: (rows) => { if (rows.length) { setRow(rows[0]); live.close(); } }, onSampled: () => {}, onState: setState });
    return () => live.close();
  }, []);
  return { row, state };
}

/** `empty`: nothing is stored yet. Else the page waits for a new line. */
export function AddPage({ empty, seen }: { empty: boolean; seen: () => void }) {
  const { row } = useFirstLine(empty);
  const show = () => { seen(); go({ page: 'logs', query: '', range: { kind: 'all' }, open: '', live: true }); };
  return (
    <main class="page add">
      <h1>{empty ? t('add.title') : t('nav.add')}</h1>
      <p class="lead">{t('add.lead')}</p>
      <div class={'first ' + (row ? 'good' : '')} role="status" aria-live="polite">
        <span class={'pulse ' + (row ? 'done' : 'waiting')}>{row && <Icon name="check" />}</span>
        {row ? <><div class="grow"><b>{empty ? t('add.arrived') : t('add.arrivedNew')}</b><div class="line"><span class="minor">{visible(row.file)}</span> <LogText text={cut(firstLine(row.text, 1).line, 300)} /></div></div>
          <button class="go" onClick={show}>{t('add.show')}</button></>
          : <div><b>{empty ? t('add.waiting') : t('add.waitingNew')}</b><div class="minor">{t('add.waitingHint')}</div></div>}
      </div>
      {snippets.map(([title, hint, text]) => (
        <section key={title}><h2>{t(title)}</h2><p class="minor">{t(hint)}</p><Snippet text={text} /></section>
      ))}
    </main>
  );
}
