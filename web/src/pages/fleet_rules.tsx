// The rules a server keeps for one agent: the text, what a change would change, who changed it before. A change is saved
// only over the revision it was made from.
import { useEffect, useState } from 'preact/hooks';
import { api, ApiError } from '../api/client';
import type { Agent, HostRulesEntry, HostRulesText, RulesPreview } from '../api/types';
import { count, size, t } from '../base/i18n';
import { fullTime } from '../base/time';
import { view } from '../base/url_state';
import { diff, excerpt, type DiffLine } from '../text/diff';
import { visible } from '../text/segments';
import { Problem } from './problem';

const kEmpty = 'collect:\n  items:\n    - path: /var/log/app/*.log\n';
const signs = { same: ' ', removed: '-', added: '+' };

function Diff({ lines }: { lines: DiffLine[] }) {
  const shown = excerpt(lines, 3);
  return (
    <pre class="diff" aria-label={t('fleet.diff')}>
      {shown.map((line, i) => (line ? <span key={i} class={line.kind}>{signs[line.kind]} {visible(line.text)}{'\n'}</span> : <span key={i} class="minor">…{'\n'}</span>))}
    </pre>
  );
}

/** What the agent says it would collect by a text of rules. */
function Preview({ preview }: { preview: RulesPreview }) {
  if (preview.problem) return <pre class="preview bad">{visible(preview.problem)}</pre>;
  return (
    <div class="preview">
      <p><b>{t('fleet.wouldCollect', { n: preview.files, rate: preview.lines_per_second })}</b></p>
      {preview.problems.map((problem) => <p key={problem} class="warn">{visible(problem)}</p>)}
      <div class="scroll-x"><table><tbody>
        {preview.shown.slice(0, 100).map((file) => (
          <tr key={file.file + file.topic} class={file.problem ? 'problem' : ''}>
            <td class="path"><code>{visible(file.file)}</code>{file.problem && <div class="why">{visible(file.problem)}</div>}</td>
            <td>{visible(file.topic)}</td><td class="n">{size(file.size)}</td><td class="n">{t('fleet.linesPerSecond', { n: file.lines_per_second })}</td>
          </tr>
        ))}
      </tbody></table></div>
    </div>
  );
}

function History({ entries, current, edit }: { entries: HostRulesEntry[]; current: number; edit: (text: string) => void }) {
  return (
    <table class="history"><tbody>
      {entries.map((entry) => (
        <tr key={entry.revision}>
          <td class="n">{count(entry.revision)}</td>
          <td>{fullTime(entry.time, view.value.zone).replace(/\.\d+/, '')}</td>
          <td>{visible(entry.author)}</td>
          <td>{entry.revision === current ? <span class="minor">{t('fleet.current')}</span> : <button class="small" onClick={() => edit(entry.yaml)}>{t('fleet.takeUp')}</button>}</td>
        </tr>
      ))}
    </tbody></table>
  );
}

function Editor({ agent, from, saved, stop, start }: { agent: Agent; from: HostRulesText; saved: () => void; stop: () => void; start: string }) {
  const [text, setText] = useState(start);
  const [error, setError] = useState<Error | undefined>();
  const [busy, setBusy] = useState(false);
  const [preview, setPreview] = useState<RulesPreview | undefined>();
  const lines = diff(from.yaml, text);
  const changed = lines.some((line) => line.kind !== 'same');
  const conflict = error instanceof ApiError && error.status === 409;
  const ask = async () => {
    setBusy(true);
    setError(undefined);
    try {
      setPreview(await api.previewRules(agent.id, text));
    } catch (problem) {
      setError(problem as Error);
    }
    setBusy(false);
  };
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await api.putAgentRules(agent.id, text, from.revision);
      saved();
    } catch (problem) {
      setError(problem as Error);
    }
    setBusy(false);
  };
  return (
    <div class="edit">
      <textarea rows={Math.min(30, Math.max(6, text.split('\n').length + 1))} spellcheck={false} aria-label={t('fleet.rulesText')} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      {changed && <Diff lines={lines} />}
      {preview && <Preview preview={preview} />}
      {error && <Problem error={error} again={conflict ? saved : () => setError(undefined)} />}
      {conflict && <p class="hint">{t('fleet.conflict')}</p>}
      <div class="row-of">
        <button class="go" disabled={!changed || busy} onClick={() => void save()}>{t('fleet.save', { n: from.revision + 1 })}</button>
        {agent.online && <button class="try" disabled={busy} onClick={() => void ask()}>{t('fleet.try')}</button>}
        <button onClick={stop}>{t('fleet.discard')}</button>
        <span class="hint">{changed ? t('fleet.saveHint', { name: visible(agent.name) }) : t('fleet.unchanged')}</span>
      </div>
    </div>
  );
}

/** What is kept for the agent, asked again when its revision changes. */
function useRules(agent: Agent) {
  const [rules, setRules] = useState<{ text: HostRulesText; history: HostRulesEntry[] } | undefined>();
  const [error, setError] = useState<Error | undefined>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    Promise.all([api.agentRules(agent.id), api.agentRulesHistory(agent.id)]).then(
      ([text, history]) => { if (!gone) { setRules({ text, history: history.entries }); setError(undefined); } },
      (problem) => { if (!gone) setError(problem as Error); });
    return () => { gone = true; };
  }, [agent.id, agent.rules_desired, round]);
  return { rules, error, again: () => setRound(round + 1) };
}

export function HostRules({ agent }: { agent: Agent }) {
  const { rules, error, again } = useRules(agent);
  // What is edited, and the revision it was taken from: that one is compared when it is saved.
  const [edit, setEdit] = useState<{ from: HostRulesText; start: string } | undefined>();
  const [mayChange, setMayChange] = useState(false);
  useEffect(() => { void api.session().then((me) => setMayChange(me.role === 'admin'), () => {}); }, []);
  const begin = (start: string) => { if (rules) setEdit({ from: rules.text, start }); };
  return (
    <section class="card rules">
      <h2>{t('fleet.rules')}{rules && <span class="minor">{rules.text.revision ? t('fleet.revision', { n: rules.text.revision }) : t('fleet.noRules')}</span>}</h2>
      {error && <Problem error={error} again={again} />}
      {rules && (edit
        ? <Editor key={edit.start} agent={agent} from={edit.from} start={edit.start} saved={() => { setEdit(undefined); again(); }} stop={() => setEdit(undefined)} />
        : <>
          {rules.text.yaml ? <pre class="yaml">{visible(rules.text.yaml)}</pre> : <p class="hint">{t('fleet.noRulesHint')}</p>}
          {mayChange && <button class="go change" onClick={() => begin(rules.text.yaml || kEmpty)}>{t('fleet.change')}</button>}
        </>)}
      {rules && rules.history.length > 0 && (
        <details><summary>{t('fleet.history', { n: rules.history.length })}</summary>
          <History entries={[...rules.history].reverse()} current={rules.text.revision} edit={(text) => { if (mayChange) begin(text); }} />
        </details>
      )}
    </section>
  );
}
