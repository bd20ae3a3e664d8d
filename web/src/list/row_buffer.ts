// The rows the list holds, oldest first. Older pages come in at the front, new lines at the back; the same record is never
// held twice. Bounded by rows and by characters: beyond, the oldest go while live, and no older page is asked for.
import type { Row } from '../api/types';
import { compareNs, msOf } from '../base/time';

const kRowCost = 300;        // what a row takes besides its text, roughly
const kMostBack = 500;       // rows at the end among which a live row finds its place by time
const kMostLate = 10_000;    // ms; a row later than that stays where it came

export const costOf = (row: Row) => (row.text?.length ?? 0) + kRowCost;

export class RowBuffer {
  rows: Row[] = [];
  private ids = new Set<string>();
  private cost = 0;

  constructor(readonly capacity = 100_000, readonly maxCost = 100_000_000) {}

  get length(): number { return this.rows.length; }
  get full(): boolean { return this.rows.length >= this.capacity || this.cost >= this.maxCost; }

  clear(): void {
    this.rows = [];
    this.ids.clear();
    this.cost = 0;
  }

  private fresh(rows: Row[]): Row[] {
    const fresh = rows.filter((row) => !this.ids.has(row.id) && this.ids.add(row.id));
    for (const row of fresh) this.cost += costOf(row);
    return fresh;
  }

  /** Rows newest first, older than all held. Returns how many came in front. */
  prepend(newestFirst: Row[]): number {
    const fresh = this.fresh(newestFirst).reverse();
    this.rows = fresh.concat(this.rows);
    return fresh.length;
  }

  /** New rows as they came. Returns how many were added, and how many old ones left at the front. */
  append(rows: Row[]): { added: number; removed: number } {
    const fresh = this.fresh(rows);
    for (const row of fresh) this.place(row);
    const removed = this.surplus(fresh.length);
    for (const row of this.rows.splice(0, removed)) {
      this.ids.delete(row.id);
      this.cost -= costOf(row);
    }
    return { added: fresh.length, removed };
  }

  /** Live rows come in the order they became durable; between several files that is not quite the order of their times. */
  private place(row: Row): void {
    const { rows } = this;
    let at = rows.length;
    const first = Math.max(0, at - kMostBack);
    while (at > first && compareNs(rows[at - 1].time, row.time) > 0) at--;
    const last = rows[rows.length - 1];
    if (at === rows.length || msOf(last.time) - msOf(row.time) > kMostLate) rows.push(row);
    else rows.splice(at, 0, row);
  }

  /** How many rows must go. Cutting a long array for each batch would cost its whole length each time: cut with slack. */
  private surplus(added: number): number {
    const over = this.rows.length - this.capacity;
    let count = over > this.capacity / 10 || added > this.capacity ? Math.max(0, over) : 0;
    if (this.cost <= this.maxCost) return count;
    let cost = this.cost;
    for (let i = 0; i < count; i++) cost -= costOf(this.rows[i]);
    while (cost > this.maxCost * 0.9 && count < this.rows.length - 1) cost -= costOf(this.rows[count++]);
    return count;
  }

  indexOf(id: string | undefined): number {
    if (!id || !this.ids.has(id)) return -1;
    for (let i = this.rows.length - 1; i >= 0; i--) if (this.rows[i].id === id) return i;
    return -1;
  }
}
