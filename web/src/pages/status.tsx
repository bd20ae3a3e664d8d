// The pipeline in numbers, what is kept and for how long, and the proof that nothing was lost.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import type { Audit, Finding, Status } from '../api/types';
import { count, short, size, span, t, type Key } from '../base/i18n';
import { Icon } from '../base/icons';
import { usePoll } from '../base/poll';
import { dayText, clockText, fullTime, msOf } from '../base/time';
import { view } from '../base/url_state';
import { visible } from '../text/segments';
import { Problem } from './problem';

function Card({ title, aside, children }: { title: string; aside?: ComponentChildren; children: ComponentChildren }) {
  return <section class="card"><h2>{title}<span>{aside}</span></h2>{children}</section>;
}

function Number_({ name, value, title, bad }: { name: string; value: string; title?: string; bad?: boolean }) {
  return <div class="num"><dt>{name}</dt><dd title={title} class={bad ? 'bad' : ''}>{value}</dd></div>;
}

const moment = (ns: string) => `${dayText(msOf(ns), view.value.zone)} ${clockText(msOf(ns), view.value.zone)}`;

function Kept({ status }: { status: Status }) {
  const { store } = status;
  const ratio = store.bytes_on_disk > 0 ? store.raw_bytes / store.bytes_on_disk : 0;
  return (
    <Card title={t('st.kept')}>
      <dl class="nums">
        <Number_ name={t('st.records')} value={short(store.records)} title={count(store.records)} />
        <Number_ name={t('st.raw')} value={size(store.raw_bytes)} title={count(store.raw_bytes)} />
        <Number_ name={t('st.disk')} value={size(store.bytes_on_disk)} title={count(store.bytes_on_disk)} />
        {ratio > 1 && <Number_ name={t('st.ratio')} value={t('st.times', { x: ratio.toFixed(1) })} />}
        <Number_ name={t('st.oldest')} value={store.oldest ? moment(store.oldest) : '–'} />
        <Number_ name={t('st.newest')} value={store.newest ? moment(store.newest) : '–'} />
      </dl>
      {store.problem && <p class="bad" role="alert">{visible(store.problem)}</p>}
      {store.deletion_held && <p class="warn">{t('st.held')} {visible(store.deletion_held)}</p>}
    </Card>
  );
}

function Collecting({ status }: { status: Status }) {
  const { sources } = status;
  const problems = [status.pipeline?.rules_problem, status.pipeline?.topics_problem];
  return (
    <Card title={t('st.collecting')}>
      <dl class="nums">
        <Number_ name={t('st.files')} value={count(sources.total)} />
        <Number_ name={t('st.active')} value={count(sources.active)} />
        <Number_ name={t('st.unreadable')} value={count(sources.unreadable)} bad={sources.unreadable > 0} />
        <Number_ name={t('st.lag')} value={sources.lag_bytes ? size(sources.lag_bytes) : '0'} title={count(sources.lag_bytes)} />
      </dl>
      {problems.map((problem) => typeof problem === 'string' && problem !== '' && <p key={problem} class="warn" role="alert">{visible(problem)}</p>)}
    </Card>
  );
}

/** Rows of whatever the program reports: numbers and texts, one level of groups. Names are shown as they are. */
function Rest({ values }: { values: Record<string, unknown> }) {
  const flat: [string, string][] = [];
  const add = (prefix: string, value: unknown, depth: number) => {
    if (value === null || value === undefined || value === '') return;
    if (typeof value === 'object') {
      if (depth < 3) for (const [name, inner] of Object.entries(value)) add(prefix ? `${prefix} ${name}` : name, inner, depth + 1);
      return;
    }
    const name = prefix.replace(/_/g, ' ');
    const bytes = typeof value === 'number' && /bytes|budget/.test(prefix);
    flat.push([name.replace(/ ?bytes ?/, ' ').trim() || name, bytes ? size(value as number) : typeof value === 'number' ? short(Math.round(value * 100) / 100) : visible(String(value))]);
  };
  add('', values, 0);
  return <dl class="nums">{flat.slice(0, 40).map(([name, value]) => <Number_ key={name} name={visible(name)} value={value} />)}</dl>;
}

function Store({ status }: { status: Status }) {
  const { store } = status;
  return (
    <Card title={t('st.store')}>
      <dl class="nums">
        <Number_ name={t('st.storeFiles')} value={count(store.files)} />
        <Number_ name={t('st.blocks')} value={count(store.blocks)} />
        <Number_ name={t('st.tail')} value={count(store.tail_rows)} />
        <Number_ name={t('st.commits')} value={short(store.commits)} />
        <Number_ name={t('st.wal')} value={size(store.wal_bytes)} />
        <Number_ name={t('st.damaged')} value={count(store.damaged_blocks)} bad={store.damaged_blocks > 0} />
      </dl>
    </Card>
  );
}

// ---- audit

const dispositions = ['stored', 'dropped', 'hole', 'quarantined', 'gap'] as const;

function sums(audit: Audit): Record<string, number> {
  const out: Record<string, number> = { expired: 0 };
  for (const source of audit.sources) {
    for (const name of dispositions) out[name] = (out[name] ?? 0) + (source.bytes?.[name] ?? 0);
    out.expired += source.expired_bytes ?? 0;
  }
  return out;
}

function FindingLine({ finding, accepted }: { finding: Finding; accepted: () => void }) {
  const [problem, setProblem] = useState('');
  const accept = () => api.accept(finding.id).then(accepted, (error) => setProblem(error.message));
  return (
    <tr class={finding.accepted_by ? '' : 'problem'}>
      <td>{t(`finding.${finding.kind}` as Key)}</td>
      <td class="path"><code>{visible(finding.file)}</code><div class="why">{visible(finding.detail)}</div>{problem && <div class="why bad">{problem}</div>}</td>
      <td class="n">{count(finding.begin)} – {count(finding.end)}</td>
      <td>{finding.accepted_by ? <span class="minor">{t('audit.acceptedBy', { who: visible(finding.accepted_by) })}</span> : <button class="small" onClick={accept}>{t('audit.accept')}</button>}</td>
    </tr>
  );
}

function Proof({ audit, took, again }: { audit: Audit; took: number; again: () => void }) {
  const parts = sums(audit);
  const all = Object.values(parts).reduce((a, b) => a + b, 0);
  return (
    <div class="proof">
      <p class={'verdict ' + (audit.clean ? 'good' : 'bad')} role="status"><Icon name={audit.clean ? 'check' : 'warn'} />
        {audit.clean ? t('audit.clean') : t('audit.open', { n: audit.findings.filter((f) => !f.accepted_by).length })}</p>
      <p class="hint">{t('audit.how', { files: audit.sources.length, blocks: audit.blocks_checked, rows: audit.rows_checked, span: span(took) })}</p>
      <table class="ledger"><tbody>
        {['stored', 'dropped', 'hole', 'quarantined', 'gap', 'expired'].filter((name) => parts[name] || name === 'stored').map((name) => (
          <tr key={name}><td>{t(`bytes.${name}` as Key)}</td><td class="n">{t('audit.bytes', { n: parts[name] ?? 0 })}</td></tr>
        ))}
        <tr class="sum"><td>{t('audit.sum')}</td><td class="n">{t('audit.bytes', { n: all })}</td></tr>
      </tbody></table>
      {audit.findings.length > 0 && (
        <div class="scroll-x"><table><thead><tr><th>{t('audit.kind')}</th><th>{t('sources.file')}</th><th class="n">{t('audit.range')}</th><th /></tr></thead>
          <tbody>{audit.findings.slice(0, 200).map((finding) => <FindingLine key={finding.id} finding={finding} accepted={again} />)}</tbody></table></div>
      )}
    </div>
  );
}

function AuditCard() {
  const [state, setState] = useState<{ audit?: Audit; took: number; error?: Error; running: boolean }>({ took: 0, running: false });
  const abort = useRef<AbortController | undefined>(undefined);
  const run = async () => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    const start = performance.now();
    setState({ ...state, error: undefined, running: true });
    try {
      const audit = await api.audit(true, mine.signal);
      setState({ audit, took: performance.now() - start, running: false });
    } catch (error) {
      if (abort.current === mine) setState({ took: 0, running: false, error: mine.signal.aborted ? undefined : error as Error });
    }
  };
  return (
    <Card title={t('audit.title')} aside={state.running ? <button class="small" onClick={() => abort.current?.abort()}>{t('query.cancel')}</button>
      : <button class="small go" onClick={() => void run()}>{state.audit ? t('audit.again') : t('audit.run')}</button>}>
      {state.error && <Problem error={state.error} again={() => void run()} />}
      {state.running && <p class="hint" role="status">{t('audit.running')}</p>}
      {state.audit ? <Proof audit={state.audit} took={state.took} again={() => void run()} /> : !state.running && <p class="hint">{t('audit.what')}</p>}
    </Card>
  );
}

export function StatusPage() {
  const { value, error, again } = usePoll(api.status, 2000);
  const forbidden = error instanceof ApiError && error.status === 403;
  return (
    <main class="page">
      <div class="page-head"><h1>{t('nav.status')}</h1>
        {value && <span class="minor">{visible(value.host)} · logboom {visible(value.version)} · {t('st.since', { time: fullTime(value.started, view.value.zone).replace(/\.\d+ .*/, ''), span: span(value.uptime_seconds * 1000) })}</span>}</div>
      {error && !forbidden && <Problem error={error} again={again} />}
      {value && (
        <div class="cards">
          <Kept status={value} />
          <Collecting status={value} />
          {value.pipeline && Object.keys(value.pipeline).length > 0 && <Card title={t('st.pipeline')}><Rest values={{ ...value.pipeline, rules_problem: '', topics_problem: '' }} /></Card>}
          {value.retention && <Card title={t('st.retention')}><Rest values={value.retention} /></Card>}
          <Store status={value} />
        </div>
      )}
      <AuditCard />
    </main>
  );
}
