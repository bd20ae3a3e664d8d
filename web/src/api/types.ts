// The shapes of docs/reference/api.md that the page reads. Times are nanoseconds as decimal strings.
import type { Ns } from '../base/time';

export const levels = ['none', 'trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LevelName = (typeof levels)[number];

export interface Parsed { name: string; value: string; type?: 'string' | 'number' | 'bool' | 'null'; value_raw?: string }

export interface Row {
  id: string; source: string; epoch: number; offset: number; time: Ns; time_origin?: string; level: string; host: string; file: string;
  file_raw?: string; topic?: string; format?: string; text: string; bytes: number; raw?: string; truncated?: boolean; lines: number;
  fragment?: boolean; continuation?: boolean; binary?: boolean; fields?: Record<string, string>; parsed?: Parsed[]; commit?: number;
  cursor?: string;
}

export interface Stats {
  records: number; lines: number; exact: boolean; partial: boolean; blocks_total: number; blocks_read: number; bytes_read: number;
  rows_scanned: number; damaged_blocks: number; searched_back_to?: Ns | null; elapsed: Ns;
}

export interface Bucket { start: Ns; counts: number[] }
export interface ValueCount { value: string; count: number; value_raw?: string }
export interface FieldValues { field: string; distinct: number; exact: boolean; values: ValueCount[] }
export interface Note { message: string; position: number }
export interface ErrorBody { code: string; message: string; hint?: string }

export type Frame =
  | { type: 'meta'; query: string; note: Note | null; from: Ns | null; to: Ns | null; now: Ns; step: Ns | null; commit: number }
  | { type: 'rows'; rows: Row[] }
  | { type: 'progress'; stats: Stats }
  | { type: 'histogram'; final: boolean; step: Ns; buckets: Bucket[] }
  | { type: 'values'; fields: FieldValues[] }
  | { type: 'done'; stats: Stats; next: string | null; error: ErrorBody | null };

export interface FieldInfo { name: string; records: number }

export interface Source {
  source: string; epoch: number; topic: string; rule: string; file: string; file_raw?: string; host: string; state: string;
  size: number | null; read: number | null; acknowledged: number; lag: number | null; problem: string; records: number;
  stored_bytes: number; first_seen?: Ns; last_seen?: Ns; binary?: boolean; flagged?: boolean;
}

export interface StoreStatus {
  files: number; bytes_on_disk: number; raw_bytes: number; records: number; blocks: number; tail_rows: number; commits: number;
  wal_bytes: number; damaged_blocks: number; oldest: Ns | null; newest: Ns | null; deletion_held: string; problem: string;
}

export interface Status {
  version: string; now: Ns; started: Ns; uptime_seconds: number; host: string; store: StoreStatus;
  sources: { total: number; active: number; unreadable: number; lag_bytes: number };
  live?: { last_commit: number }; pipeline?: Record<string, unknown>; retention?: Record<string, unknown>;
}

/** An agent of this server. null: it has not said so yet. */
export interface Agent {
  id: string; name: string; version: string; session: number; enrolled: Ns | null; seen: Ns | null; reported: Ns | null; online: boolean;
  rules_desired: number; rules_applied: number | null; rules_from: string | null; rules_problem: string; problem: string;
  files: number | null; lag_bytes: number | null; unreadable: number | null; role: string; lag_messages: number | null;
}
/** How far a transfer has stored a partition of a topic; null: not known yet. */
export interface TopicPartition { topic: string; partition: number; stored: number | null; end: number | null; lag: number | null }
export interface AgentSource {
  source: string; epoch: number; file: string; file_raw?: string; topic: string; rule: string; state: string; size: number; read: number;
  acknowledged: number; lag: number; problem: string;
}
/** What an agent says that rules would collect. */
export interface RulesPreview {
  problem?: string; files: number; lines_per_second: string; problems: string[];
  shown: { file: string; rule: string; topic: string; size: number; lines_per_second: string; problem: string }[];
}
export interface HostRulesText { agent: string; name: string; revision: number; yaml: string }
export interface HostRulesEntry { revision: number; time: Ns; author: string; yaml: string }

export interface AuditSource extends Source { bytes: Record<string, number>; expired_bytes: number; dropped_lines: number }
export interface Finding {
  id: string; kind: string; source: string; file: string; begin: number; end: number; detail: string; accepted_by: string;
  accepted_at: Ns | null;
}
export interface Audit { clean: boolean; blocks_checked: number; rows_checked: number; sources: AuditSource[]; findings: Finding[] }

export interface MetricHost { host: string; ip: string; first: Ns; last: Ns; series: number; measurements: string[]; facts: Record<string, string | number | boolean> }
export interface MetricStoreState { hosts: number; series: number; quarantined: number; problem: string }
export interface MetricLine { host: string; field: string; tags: Record<string, string>; times: Ns[]; values: (number | string)[] }
export interface MetricAnswer { measurement: string; lines: MetricLine[]; points: number; resolution_seconds: number }
