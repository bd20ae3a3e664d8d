// The rows the list holds, oldest first. Older pages come in at the front, new lines at the back; the same record is never
// held twice, and beyond `capacity` the rows farthest from the reader go.
import type { Row } from '../api/types';

export class RowBuffer {
  rows: Row[] = [];
  private ids = new Set<string>();

  constructor(readonly capacity = 100_000) {}

  get length(): number { return this.rows.length; }

  clear(): void {
    this.rows = [];
    this.ids.clear();
  }

  private fresh(rows: Row[]): Row[] {
    return rows.filter((row) => !this.ids.has(row.id) && this.ids.add(row.id));
  }

  /** Rows newest first, older than all held. Returns how many came in front. */
  prepend(newestFirst: Row[]): number {
    const fresh = this.fresh(newestFirst).reverse();
    this.rows = fresh.concat(this.rows);
    this.dropFrom(this.capacity, this.rows.length);
    return fresh.length;
  }

  /** New rows in the order they came. Returns how many were added, and how many old ones left at the front. */
  append(rows: Row[]): { added: number; removed: number } {
    const fresh = this.fresh(rows);
    for (const row of fresh) this.rows.push(row);
    // Cutting a long array for each batch would cost its whole length each time: cut with slack.
    const over = this.rows.length - this.capacity;
    const removed = over > this.capacity / 10 || fresh.length > this.capacity ? over : 0;
    this.dropFrom(0, removed);
    return { added: fresh.length, removed };
  }

  private dropFrom(begin: number, end: number): void {
    if (end <= begin) return;
    for (const row of this.rows.splice(begin, end - begin)) this.ids.delete(row.id);
  }

  indexOf(id: string | undefined): number {
    if (!id || !this.ids.has(id)) return -1;
    for (let i = this.rows.length - 1; i >= 0; i--) if (this.rows[i].id === id) return i;
    return -1;
  }
}
