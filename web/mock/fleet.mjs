// Made-up agents, with rules that are kept and compared as the server does.
const ago = (seconds) => String(Date.now() - seconds * 1000) + '000000';

export class Fleet {
  constructor(world) {
    const agent = (n, name, more) => ({ id: String(n).repeat(32), name, version: '0.1.0', session: 3, enrolled: ago(86400), seen: ago(1), reported: ago(1), online: true, rules_desired: 1,
      rules_applied: 1, rules_from: 'server', rules_problem: '', problem: '', files: 2, lag_bytes: 0, unreadable: 0, role: 'agent', lag_messages: 0, topics: [], ...more });
    this.agents = [
      agent(1, 'web-01'),
      agent(2, 'web-02', { rules_applied: 0, lag_bytes: 81920, problem: 'the server answers 503: <b>busy</b>' }),
      agent(3, 'db-01', { online: false, seen: ago(7200), files: null, lag_bytes: null, rules_applied: null, rules_from: null, unreadable: null, reported: null }),
      agent(4, 'own-01', { rules_from: 'file', rules_desired: 0, rules_applied: 4 }),
      agent(5, 'store-01', { role: 'transfer', rules_from: 'file', rules_desired: 0, rules_applied: 0, files: 0, lag_messages: 12,
        topics: [{ topic: 'web_log', partition: 0, stored: 88, end: 100, lag: 12 }, { topic: 'web_log', partition: 1, stored: null, end: null, lag: null }] }),
    ];
    this.agents.push(agent(6, 'etcd-01', { rules_from: 'etcd', rules_desired: 0, rules_applied: 42 }));
    const first = { revision: 1, time: ago(86400), author: 'uid:0', yaml: 'collect:\n  items:\n    - path: /var/log/app/*.log\n' };
    this.rules = new Map(this.agents.map((each) => [each.id, each.rules_desired ? [first] : []]));
    this.file = world.rows[0]?.file ?? '/var/log/a.log';
  }

  sources(agent) {
    const source = (file, more) => ({ source: agent.id, epoch: 0, file, topic: 'logs', rule: 'logs:/var/log', state: 'active', size: 1000, read: 1000, acknowledged: 1000, lag: 0, problem: '', ...more });
    if (!agent.files) return [];
    return [source('/var/log/app/big.log', { topic: 'web_log', size: 163840, read: 90000, acknowledged: 81920, lag: agent.lag_bytes }), source(this.file)];
  }

  answer(path, request, send) {
    const [, id, what, history] = /^\/api\/v1\/agents(?:\/([^/]+))?(?:\/(rules))?(?:\/(history|preview))?$/.exec(path) ?? [];
    if (!id) return send({ agents: this.agents });
    const agent = this.agents.find((each) => each.id === id || each.name === id);
    if (!agent) return send({ error: { code: 'not_found', message: `there is no agent ${id}` } }, 404);
    if (!what) return send({ ...agent, sources: this.sources(agent) });
    const kept = this.rules.get(agent.id);
    if (history === 'preview') {
      return send({ files: 2, lines_per_second: '12.5', problems: [], shown: [{ file: '/var/log/app/a.log', rule: 'a', topic: 'logs', size: 1000, lines_per_second: '12.5', problem: '' },
        { file: '/etc/passwd', rule: 'spy', topic: 'logs', size: 900, lines_per_second: '0.0', problem: 'it lies outside the roots this host allows' }] });
    }
    if (history) return send({ entries: kept });
    const last = kept.at(-1) ?? { revision: 0, yaml: '' };
    if (request.method !== 'PUT') return send({ agent: agent.id, name: agent.name, revision: last.revision, yaml: last.yaml });
    let text = '';
    request.on('data', (chunk) => { text += chunk; });
    request.on('end', () => {
      const body = JSON.parse(text);
      if (body.revision !== last.revision) return send({ error: { code: 'conflict', message: `the rules are at revision ${last.revision}, not ${body.revision}` } }, 409);
      if (!body.yaml.startsWith('collect:')) return send({ error: { code: 'invalid_argument', message: 'rules.yaml:1:1: expected collect.items' } }, 400);
      kept.push({ revision: last.revision + 1, time: ago(0), author: 'admin', yaml: body.yaml });
      agent.rules_desired = last.revision + 1;
      setTimeout(() => { agent.rules_applied = agent.rules_desired; }, 200);
      return send({ replaced: last.revision, revision: last.revision + 1 });
    });
    return undefined;
  }
}
