// One search and the live stream behind it: what the Logs page shows is read from the signals here. The list itself is not a
// signal (it would be compared and copied): its changes go to `onRows`.
import { batch, signal } from '@preact/signals';
import { ApiError, api, search, type Params } from '../api/client';
import { Live } from '../api/live';
import { levels, type Bucket, type FieldInfo, type FieldValues, type Frame, type Note, type Row, type Stats } from '../api/types';
import { bounds, endsNow } from '../base/range';
import { msOf, nsOf } from '../base/time';
import { view } from '../base/url_state';
import { costOf, RowBuffer } from '../list/row_buffer';

export const kTextLimit = 4096;   // bytes of a row's text until someone opens it
const kFirstPage = 300;
const kPage = 1000;
const kMostPending = 20_000;      // rows kept while the list is frozen; beyond, the pill starts a new search
const kPendingCost = 20_000_000;  // characters of them
const kMostBuckets = 1000;        // counted on by ourselves; lines far outside wait for the next refresh
const kHistogramEvery = 15_000;   // ms between refreshes while live
const kLongAway = 60_000;         // ms without a stream after which a new search is cheaper than catching up
export const facetNames = ['level', 'host', 'file'];

export interface Histogram { step: number; buckets: Bucket[]; from?: number; to?: number; final: boolean }
export interface Problem { code: string; message: string; hint: string }

export type OnRows = (rows: Row[], shift: number, stick: boolean) => void;

export class LogSession {
  readonly running = signal(false);
  readonly stats = signal<Stats | undefined>(undefined);
  readonly cancelled = signal(false);
  readonly cut = signal(false);              // the stream ended without `done`
  readonly note = signal<Note | null>(null);
  readonly problem = signal<Problem | undefined>(undefined);
  readonly histogram = signal<Histogram | undefined>(undefined);
  readonly facets = signal<FieldValues[]>([]);
  readonly fields = signal<FieldInfo[] | undefined>(undefined);
  readonly loadingOlder = signal(false);
  readonly complete = signal(false);         // nothing older is left to load
  readonly count = signal(0);                // rows held
  readonly liveState = signal<'off' | 'open' | 'waiting'>('off');
  readonly pending = signal(0);              // new rows while frozen
  readonly skipped = signal(0);              // left out by sampling since the search
  readonly liveAdded = signal(0);            // rows that came live since the search
  readonly ran = signal(0);                  // number of the search: changes when one starts

  readonly buffer = new RowBuffer();
  onRows: OnRows = () => {};
  /** Whether new rows may move the list: asked at each batch. */
  mayAppend: () => boolean = () => true;
  /** Whether the end of the list is in view: while the first page comes in, it then stays there. */
  atEnd: () => boolean = () => true;
  private waiting: Row[] = [];
  private waitingCost = 0;
  private overflow = false;
  private abort: AbortController | undefined;
  private live: Live | undefined;
  private next: string | null = null;
  private ranAt = 0;
  private histogramAt = 0;
  private histogramTimer: ReturnType<typeof setTimeout> | undefined;

  /** The bounds of the view as parameters, relative ones from the moment of the search. */
  params(now = this.ranAt): Params {
    const { from, to } = bounds(view.value.range, now);
    return { q: view.value.query.trim(), from: from === undefined ? undefined : nsOf(from), to: to === undefined ? undefined : nsOf(to) };
  }

  run(): void {
    this.stop();
    this.ranAt = Date.now();
    this.buffer.clear();
    this.waiting = [];
    this.waitingCost = 0;
    this.overflow = false;
    this.next = null;
    batch(() => {
      this.running.value = true;
      this.cancelled.value = this.cut.value = this.complete.value = false;
      this.stats.value = this.problem.value = undefined;
      this.note.value = null;
      this.fields.value = undefined;
      this.count.value = this.pending.value = this.skipped.value = this.liveAdded.value = 0;
      this.ran.value++;
    });
    const params = { ...this.params(), limit: kFirstPage, step: 'auto', values: facetNames.join(','), values_limit: 10, text_limit: kTextLimit };
    void this.stream(params, true);
  }

  private async stream(params: Params, first: boolean): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    let done = false;
    try {
      await search(params, (frame) => {
        if (abort.signal.aborted) return;
        done ||= frame.type === 'done';
        this.take(frame, first);
      }, abort.signal);
      if (!abort.signal.aborted) this.cut.value = !done;
    } catch (error) {
      if (!abort.signal.aborted) this.fail(error);
    } finally {
      if (this.abort === abort) this.finish(first);
    }
  }

  private finish(first: boolean): void {
    this.abort = undefined;
    batch(() => {
      this.running.value = this.loadingOlder.value = false;
      if (first && !this.cancelled.value && !this.problem.value) this.complete.value = this.next === null;
    });
    if (first && this.buffer.length === 0) this.onRows([], 0, true);
  }

  private fail(error: unknown): void {
    const e = error as ApiError;
    this.problem.value = error instanceof ApiError ? { code: e.code, message: e.message, hint: e.hint }
      : { code: 'network', message: (error as Error).message, hint: '' };
  }

  private take(frame: Frame, first: boolean): void {
    if (frame.type === 'rows') this.takeRows(frame.rows);
    else if (frame.type === 'done') this.takeDone(frame, first);
    else if (first) this.takeFirst(frame);
  }

  private takeFirst(frame: Frame): void {
    if (frame.type === 'meta') {
      this.note.value = frame.note;
      this.startLive(frame.commit);
    } else if (frame.type === 'progress') this.stats.value = frame.stats;
    else if (frame.type === 'histogram') this.takeHistogram(frame.step, frame.buckets, frame.final);
    else if (frame.type === 'values') this.facets.value = frame.fields;
  }

  private takeRows(rows: Row[]): void {
    const before = this.buffer.length;
    const stick = !this.loadingOlder.value && (before === 0 || this.atEnd());
    const added = this.buffer.prepend(rows);
    this.count.value = this.buffer.length;
    this.onRows(this.buffer.rows, before ? added : 0, stick);
  }

  private takeDone(frame: Frame & { type: 'done' }, first: boolean): void {
    this.next = frame.next;
    if (first) this.stats.value = frame.stats;
    else this.complete.value = frame.next === null;
    if (frame.error) this.problem.value = { code: frame.error.code, message: frame.error.message, hint: frame.error.hint ?? '' };
  }

  private takeHistogram(step: string, buckets: Bucket[], final: boolean): void {
    const { from, to } = bounds(view.value.range, this.ranAt);
    this.histogramAt = Date.now();
    const end = to ?? (from === undefined ? undefined : this.histogramAt);
    this.histogram.value = { step: Number(step) / 1e6, buckets, from, to: end, final };
  }

  /** The next page of older rows, when the reader comes near the start of the list. */
  loadOlder(): void {
    if (this.running.value || this.loadingOlder.value || this.complete.value || this.next === null) return;
    if (this.buffer.full) return;
    this.loadingOlder.value = true;
    void this.stream({ ...this.params(), limit: kPage, after: this.next, count: false, text_limit: kTextLimit, progress: false }, false);
  }

  cancel(): void {
    if (!this.running.value) return;
    this.abort?.abort();
    this.cancelled.value = true;
  }

  /** Ends the search and the stream; what is shown stays. */
  stop(): void {
    this.abort?.abort();
    this.abort = undefined;
    this.live?.close();
    this.live = undefined;
    clearTimeout(this.histogramTimer);
    this.histogramTimer = undefined;
  }

  // ---- live

  private startLive(commit: number): void {
    if (!view.value.live || !endsNow(view.value.range)) return;
    this.live = new Live(view.value.query.trim(), commit, kTextLimit, {
      onRows: (rows) => this.arrive(rows),
      onSampled: (_, skipped) => { this.skipped.value += skipped; this.refreshHistogram(); },
      onReturn: (ms) => {
        if (ms < kLongAway || !this.mayAppend()) return true;
        this.run();
        return false;
      },
      onState: (state) => { this.liveState.value = state === 'closed' ? 'off' : state; },
    });
  }

  /** Switches live on or off without losing the list: on starts a new search, whose result the stream continues. */
  setLive(on: boolean): void {
    if (on) return this.run();
    this.live?.close();
    this.live = undefined;
  }

  private arrive(rows: Row[]): void {
    this.countLive(rows);
    this.refreshHistogram();
    if (!this.mayAppend() || this.overflow) {
      this.waitingCost += rows.reduce((sum, row) => sum + costOf(row), 0);
      this.overflow ||= this.waiting.length + rows.length > kMostPending || this.waitingCost > kPendingCost;
      if (this.overflow) this.waiting = [];
      else this.waiting.push(...rows);
      this.pending.value += rows.length;
      return;
    }
    this.append(this.takeWaiting().concat(rows));
  }

  private takeWaiting(): Row[] {
    const rows = this.waiting;
    this.waiting = [];
    this.waitingCost = 0;
    this.pending.value = 0;
    return rows;
  }

  private append(rows: Row[]): void {
    const { added, removed } = this.buffer.append(rows);
    if (removed) {
      this.next = this.buffer.rows[0]?.cursor ?? null;
      this.complete.value = false;
    }
    batch(() => {
      this.count.value = this.buffer.length;
      this.liveAdded.value += added;
    });
    this.onRows(this.buffer.rows, -removed, true);
  }

  /** The pill: shows what has come meanwhile. */
  showPending(): void {
    if (this.overflow) this.run();
    else if (this.waiting.length) this.append(this.takeWaiting());
  }

  private countLive(rows: Row[]): void {
    const old = this.histogram.value;
    if (!old || !old.step) return;
    const byStart = new Map(old.buckets.map((bucket) => [msOf(bucket.start), bucket]));
    for (const row of rows) {
      const start = Math.floor(msOf(row.time) / old.step) * old.step;
      if (!byStart.has(start) && byStart.size >= kMostBuckets) continue;
      const bucket = byStart.get(start) ?? { start: nsOf(start), counts: levels.map(() => 0) };
      const counts = bucket.counts.slice();
      counts[Math.max(0, levels.indexOf((row.level || 'none') as never))]++;
      byStart.set(start, { start: bucket.start, counts });
    }
    const buckets = [...byStart.entries()].sort((a, b) => a[0] - b[0]).map((entry) => entry[1]);
    this.histogram.value = { ...old, buckets, to: old.to === undefined ? undefined : Math.max(old.to, Date.now()) };
  }

  /** Counting on by ourselves drifts (sampling, a sliding range, a fixed step): ask again now and then. */
  private refreshHistogram(): void {
    const slow = Number(this.stats.value?.elapsed ?? 0) / 1e6 > 2000;
    if (this.histogramTimer || this.running.value || slow) return;
    this.histogramTimer = setTimeout(() => {
      this.histogramTimer = undefined;
      if (this.live) void this.askHistogram();
    }, Math.max(1000, this.histogramAt + kHistogramEvery - Date.now()));
  }

  private async askHistogram(): Promise<void> {
    const ran = this.ran.value;
    const abort = new AbortController();
    const now = Date.now();
    try {
      await search({ ...this.params(now), limit: 0, step: 'auto', values: facetNames.join(','), values_limit: 10, progress: false }, (frame) => {
        if (ran !== this.ran.value) return abort.abort();
        if (frame.type === 'histogram') {
          this.takeHistogram(frame.step, frame.buckets, true);
          const { from } = bounds(view.value.range, now);
          if (this.histogram.value && from !== undefined) this.histogram.value = { ...this.histogram.value, from, to: now };
        } else if (frame.type === 'values') this.facets.value = frame.fields;
        else if (frame.type === 'done') {
          this.stats.value = frame.stats;
          this.liveAdded.value = 0;
        }
      }, abort.signal);
    } catch { /* the next refresh may do it */ }
  }

  async loadFields(): Promise<void> {
    try {
      const { fields } = await api.fields({ ...this.params() });
      this.fields.value = fields;
    } catch (error) {
      this.fields.value = [];
      if (error instanceof ApiError && error.status !== 501) this.fail(error);
    }
  }
}

export const session = new LogSession();
