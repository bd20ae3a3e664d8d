// The frame around the pages: navigation, health in one line, language, theme, help.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, signedOut, unreachable } from './api/client';
import type { Status } from './api/types';
import { short, t, type Key } from './base/i18n';
import { Icon } from './base/icons';
import { lang, theme, type Theme } from './base/prefs';
import { usePoll } from './base/poll';
import { go, toHash, kStart, view, type PageName } from './base/url_state';
import { LogsPage } from './logs/logs_page';
import { HostsPage, kHostsRange } from './hosts/hosts_page';
import { AddPage } from './pages/add';
import { FleetPage } from './pages/fleet';
import { SignInPage } from './pages/sign_in';
import { SourcesPage } from './pages/sources';
import { StatusPage } from './pages/status';

function health(status: Status | undefined): { name: 'good' | 'warn' | 'bad'; text: string } | undefined {
  if (unreachable.value) return { name: 'bad', text: t('health.unreachable') };
  if (!status) return undefined;
  if (status.store.problem) return { name: 'bad', text: t('health.stopped') };
  if (status.store.damaged_blocks > 0) return { name: 'bad', text: t('status.damaged', { n: status.store.damaged_blocks }) };
  const agents = Number(status.pipeline?.agents ?? 0);
  const files = agents && !status.sources.total ? t('health.agents', { n: agents }) : t('health.files', { n: status.sources.total });
  if (status.sources.unreadable > 0) return { name: 'warn', text: `${files} · ${t('health.unreadable', { n: status.sources.unreadable })}` };
  return { name: 'good', text: `${files} · ${t('health.records', { n: short(status.store.records) })}` };
}

function Link({ page, children }: { page: PageName; children: ComponentChildren }) {
  const on = view.value.page === page;
  const start = page === 'hosts' ? { ...kStart, range: kHostsRange } : kStart;
  const target = { ...(page === 'logs' ? view.value : { ...start, zone: view.value.zone }), page, open: '', host: '' };
  return <a href={toHash(target)} class={'to-' + page + (on ? ' on' : '')} aria-current={on ? 'page' : undefined} onClick={(event) => { event.preventDefault(); go(target); }}>{children}</a>;
}

const nextTheme: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const themeIcon = { system: 'auto', light: 'sun', dark: 'moon' } as const;

function Nav({ status, help }: { status: Status | undefined; help: () => void }) {
  const state = health(status);
  return (
    <nav aria-label={t('nav.label')}>
      <b class="brand"><i aria-hidden="true" />logboom</b>
      <Link page="logs">{t('nav.logs')}</Link>
      <Link page="hosts">{t('nav.hosts')}</Link>
      <Link page="sources">{t('nav.sources')}</Link>
      {status?.pipeline?.agents !== undefined && <Link page="fleet">{t('nav.fleet')}</Link>}
      <Link page="status">{t('nav.status')}</Link>
      <Link page="add">{t('nav.add')}</Link>
      <span class="r">
        {state && <a class={'health ' + state.name} href={toHash({ ...kStart, page: 'status' })} title={state.text}><span class="dot" aria-hidden="true" /><span class="text">{state.text}</span></a>}
        <button class="ghost" lang={lang.value === 'zh' ? 'en' : 'zh-CN'} onClick={() => { lang.value = lang.value === 'zh' ? 'en' : 'zh'; }} aria-label={lang.value === 'zh' ? 'Switch to English' : '切换为中文'}>{lang.value === 'zh' ? 'EN' : '中文'}</button>
        <button class="ghost" onClick={() => { theme.value = nextTheme[theme.value]; }} title={t(`theme.${theme.value}` as Key)} aria-label={t(`theme.${theme.value}` as Key)}><Icon name={themeIcon[theme.value]} /></button>
        <button class="ghost keys" onClick={help} title={t('help')} aria-label={t('help')}>?</button>
      </span>
    </nav>
  );
}

const keySheet: [string[], Key][] = [[['/'], 'key.search'], [['j', 'k'], 'key.rows'], [['Enter'], 'key.open'], [['c'], 'key.context'], [['e', 'E'], 'key.error'],
  [['w', 'W'], 'key.warn'], [['l'], 'key.live'], [['g', 'G'], 'key.ends'], [['Esc'], 'key.escape'], [['?'], 'key.help']];
const syntax: [string, Key][] = [['timeout payments', 'syn.words'], ['"connection refused"', 'syn.phrase'], ['level:(error OR fatal)', 'syn.or'],
  ['-host:web-07', 'syn.not'], ['status:>=500', 'syn.compare'], ['conn*  *refused*', 'syn.part'], ['=ERROR', 'syn.exact'], ['/time(out|d out)/i', 'syn.regex']];

function Help({ close }: { close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => { ref.current?.showModal(); }, []);
  return (
    <dialog ref={ref} class="help" aria-label={t('help')} onClose={close} onClick={(event) => { if (event.target === ref.current) close(); }}>
      <div class="help-in">
        <div><h2>{t('help.keys')}</h2><dl>{keySheet.map(([keys, text]) => <div key={text}><dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{t(text)}</dd></div>)}</dl></div>
        <div><h2>{t('help.syntax')}</h2><dl>{syntax.map(([sample, text]) => <div key={text}><dt><code>{sample}</code></dt><dd>{t(text)}</dd></div>)}</dl></div>
        <button class="ghost small corner" onClick={close} aria-label={t('close')}><Icon name="close" /></button>
      </div>
    </dialog>
  );
}

export function App() {
  const [help, setHelp] = useState(false);
  const [everFull, setEverFull] = useState(false);
  const { value: status } = usePoll(api.status, 5000, !signedOut.value);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key === '?' && !(event.target as Element).closest?.('input, textarea')) { event.preventDefault(); setHelp(true); }
    };
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);
  const { page } = view.value;
  useEffect(() => { document.title = `${t(page === 'add' ? 'nav.add' : `nav.${page}`)} · logboom`; }, [page, lang.value]);
  const empty = status !== undefined && status.store.records === 0 && !everFull;
  const wasEmpty = useRef(false);
  wasEmpty.current ||= empty;
  useEffect(() => { if (status && status.store.records > 0 && !wasEmpty.current) setEverFull(true); }, [status]);
  if (signedOut.value) return <><Nav status={undefined} help={() => setHelp(true)} /><SignInPage /></>;
  const adding = page === 'add' || (page === 'logs' && wasEmpty.current && !everFull);
  return (
    <>
      <Nav status={status} help={() => setHelp(true)} />
      {adding ? <AddPage key={String(wasEmpty.current)} empty={wasEmpty.current && !everFull} seen={() => setEverFull(true)} /> : page === 'hosts' ? <HostsPage /> : page === 'sources' ? <SourcesPage /> : page === 'fleet' ? <FleetPage /> : page === 'status' ? <StatusPage /> : <LogsPage />}
      {help && <Help close={() => setHelp(false)} />}
    </>
  );
}
