// The stream of new lines. Goes on from the last commit seen, whatever breaks: EventSource reconnects by itself with
// Last-Event-ID; where it gives up (a refused answer) we wait and open a new one behind the last id. A hidden tab lets go of
// its stream after a while: browsers allow six connections to one server, and six forgotten tabs would take them all.
import { ApiError, api, urlOf } from './client';
import type { Note, Row } from './types';

const kHidden = 20_000;  // ms

export interface LiveEvents {
  onRows(rows: Row[]): void;
  onSampled(shown: number, skipped: number): void;
  onState(state: 'open' | 'waiting' | 'closed', problem?: string): void;
  onNote?(note: Note | null): void;
  /** Visible again after `ms` without a stream: true to go on from where it stopped, false when the owner starts anew. */
  onReturn?(ms: number): boolean;
}

export class Live {
  private stream: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private commit: number | undefined;
  private failures = 0;
  private hiddenAt = 0;
  private hideTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly query: string, commit: number | undefined, private readonly textLimit: number,
    private readonly events: LiveEvents) {
    this.commit = commit;
    document.addEventListener('visibilitychange', this.visibility);
    this.open();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.visibility);
    clearTimeout(this.hideTimer);
    this.drop();
    this.events.onState('closed');
  }

  private drop(): void {
    this.stream?.close();
    clearTimeout(this.timer);
    this.stream = undefined;
  }

  private visibility = () => {
    clearTimeout(this.hideTimer);
    if (document.hidden) {
      this.hideTimer = setTimeout(() => { this.hiddenAt = Date.now(); this.drop(); }, kHidden);
    } else if (this.hiddenAt) {
      const ms = Date.now() - this.hiddenAt;
      this.hiddenAt = 0;
      if (this.events.onReturn?.(ms) ?? true) this.open();
    }
  };

  private open(): void {
    const stream = new EventSource(urlOf('api/v1/live', { q: this.query, text_limit: this.textLimit, commit: this.commit }));
    this.stream = stream;
    const on = (name: string, handle: (data: any) => void) => stream.addEventListener(name, (event) => {
      const message = event as MessageEvent<string>;
      if (/^\d+$/.test(message.lastEventId)) this.commit = Number(message.lastEventId);
      handle(JSON.parse(message.data));
    });
    on('hello', (data) => {
      this.failures = 0;
      this.events.onState('open');
      this.events.onNote?.(data.note ?? null);
    });
    on('rows', (data) => this.events.onRows(data.rows));
    on('sampled', (data) => this.events.onSampled(data.shown, data.skipped));
    stream.onerror = () => this.broken(stream);
  }

  private broken(stream: EventSource): void {
    if (stream !== this.stream) return;
    this.events.onState('waiting');
    if (stream.readyState !== EventSource.CLOSED) return;
    // The server refused; EventSource does not say why, a plain request does (and notices a lost session).
    this.timer = setTimeout(async () => {
      try {
        await api.session();
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return this.close();
      }
      if (this.stream === stream) this.open();
    }, Math.min(10_000, 500 * 2 ** this.failures++));
  }
}
