// Talks to the server. Every address is relative to the page's own, so a reverse proxy may put it under any path.
import { signal } from '@preact/signals';
import { readLines } from './ndjson';
import type { Ns } from '../base/time';
import type { Agent, AgentSource, Audit, Bucket, ErrorBody, FieldInfo, Frame, HostRulesEntry, HostRulesText, MetricAnswer, MetricHost, MetricStoreState, Row, RulesPreview, Source, Stats, Status, TopicPartition, ValueCount } from './types';

/** True once the server has answered 401: the page shows how to sign in. */
export const signedOut = signal(false);
/** True while the server cannot be reached. */
export const unreachable = signal(false);

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly hint = '') { super(message); }
}

export type Params = Record<string, string | number | boolean | undefined>;

export function urlOf(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined && value !== '') query.set(name, String(value));
  const text = query.toString();
  return new URL(path + (text ? '?' + text : ''), document.baseURI).toString();
}

async function errorOf(response: Response): Promise<ApiError> {
  let body: Partial<ErrorBody> = {};
  try {
    body = (await response.json()).error ?? {};
  } catch { /* not our JSON: a proxy's page */ }
  return new ApiError(response.status, body.code ?? 'http', body.message ?? `HTTP ${response.status}`, body.hint);
}

async function request(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin', redirect: 'error', ...init });
  } catch (error) {
    if ((error as Error).name !== 'AbortError') unreachable.value = true;
    throw error;
  }
  unreachable.value = false;
  if (response.status === 401) signedOut.value = true;
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function json<T>(path: string, params?: Params, signal?: AbortSignal): Promise<T> {
  return (await request(urlOf(path, params), { signal })).json() as Promise<T>;
}

async function post<T>(path: string, body: unknown, method = 'POST'): Promise<T> {
  const response = await request(urlOf(path), { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** Streams the frames of a search; resolves when the stream ends. Aborting cancels the search on the server. */
export async function search(params: Params, onFrame: (frame: Frame) => void, signal: AbortSignal): Promise<void> {
  const response = await request(urlOf('api/v1/search', params), { signal });
  if (!response.body) throw new ApiError(0, 'http', 'the answer has no body');
  await readLines(response.body, (line) => onFrame(JSON.parse(line) as Frame));
}

export interface ContextAnswer { rows: Row[]; index: number }
export interface ValuesAnswer { field: string; distinct: number; exact: boolean; values: ValueCount[]; stats?: Stats }

export const api = {
  histogram: (params: Params, signal?: AbortSignal) => json<{ step: Ns; buckets: Bucket[] }>('api/v1/histogram', params, signal),
  metricHosts: (params: Params) => json<{ hosts: MetricHost[]; store: MetricStoreState }>('api/v1/metrics/hosts', params),
  metrics: (params: Params) => json<MetricAnswer>('api/v1/metrics/query', params),
  context: (params: Params, signal?: AbortSignal) => json<ContextAnswer>('api/v1/context', params, signal),
  fields: (params: Params, signal?: AbortSignal) => json<{ fields: FieldInfo[]; builtin: string[] }>('api/v1/fields', params, signal),
  values: (params: Params, signal?: AbortSignal) => json<ValuesAnswer>('api/v1/values', params, signal),
  sources: () => json<{ sources: Source[] }>('api/v1/sources'),
  status: () => json<Status>('api/v1/status'),
  session: () => json<{ name: string; role: string; via: string }>('api/v1/session'),
  audit: (deep: boolean, signal?: AbortSignal) => json<Audit>('api/v1/audit', { deep }, signal),
  accept: (id: string) => post<{ accepted: string }>('api/v1/audit/accept', { id }),
  agents: () => json<{ agents: Agent[] }>('api/v1/agents'),
  agent: (id: string) => json<Agent & { sources: AgentSource[]; topics: TopicPartition[] }>(`api/v1/agents/${encodeURIComponent(id)}`),
  agentRules: (id: string) => json<HostRulesText>(`api/v1/agents/${encodeURIComponent(id)}/rules`),
  agentRulesHistory: (id: string) => json<{ entries: HostRulesEntry[] }>(`api/v1/agents/${encodeURIComponent(id)}/rules/history`),
  previewRules: (id: string, yaml: string) => post<RulesPreview>(`api/v1/agents/${encodeURIComponent(id)}/rules/preview`, { yaml }),
  /** Refused with 409 when the rules are no longer at this revision. */
  putAgentRules: (id: string, yaml: string, revision: number) => post<{ revision: number }>(`api/v1/agents/${encodeURIComponent(id)}/rules`, { yaml, revision }, 'PUT'),
  logout: () => post<void>('api/v1/logout', {}),
};
