// The list of log rows. Plain DOM instead of components: only rows in view exist, they are reused while scrolling, and one
// listener serves them all. 100,000 rows scroll at the speed of 50.
import type { Row } from '../api/types';
import { rowTime, type Zone } from '../base/time';
import { fillText } from '../text/nodes';
import { cut, firstLine, kCut, stampLength, visible, type Mark } from '../text/segments';
import { isAtEnd, scrollToShow, windowOf } from './virtual';

export interface RowListOptions {
  rowHeight: number;
  onSelect(index: number): void;
  onOpen(index: number): void;
  onScroll(atStart: boolean, atEnd: boolean): void;
}

export interface RowStyle { zone: Zone; dated: boolean; marks: Mark[]; foldText(lines: number): string; cutText: string;
  /** What stands before the message: the host, or the file's name where there is one host only. */
  origin: 'host' | 'file' }

const letters: Record<string, string> = { fatal: 'F', error: 'E', warn: 'W', info: 'I', debug: 'D', trace: 'T' };

const baseName = (path: string) => path.slice(path.lastIndexOf('/') + 1) || path;

export const levelLetter = (level: string) => letters[level] ?? '·';

interface Cells { element: HTMLElement; time: HTMLElement; level: HTMLElement; host: HTMLElement; message: HTMLElement }

export class RowList {
  private rows: Row[] = [];
  private readonly spacer = document.createElement('div');
  private readonly live = new Map<Row, Cells>();
  private pool: Cells[] = [];
  private frame = 0;
  private selected = -1;
  private selectedRow: Row | undefined;
  private height = 0;
  private top = 0;
  private readonly observer: ResizeObserver;

  constructor(private readonly root: HTMLElement, private readonly options: RowListOptions, private style: RowStyle) {
    this.spacer.className = 'spacer';
    root.append(this.spacer);
    root.addEventListener('scroll', this.scrolled, { passive: true });
    root.addEventListener('click', this.clicked);
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(root);
    this.height = root.clientHeight;
  }

  destroy(): void {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.root.removeEventListener('scroll', this.scrolled);
    this.root.removeEventListener('click', this.clicked);
    this.spacer.remove();
  }

  /** Shows other rows. `shift` is by how many the kept rows moved down: the view then stays on the same lines. */
  setRows(rows: Row[], shift: number, stickToEnd: boolean): void {
    this.rows = rows;
    this.root.setAttribute('aria-rowcount', String(rows.length));
    this.spacer.style.height = `${rows.length * this.options.rowHeight}px`;
    if (stickToEnd) this.scrollTo(Math.max(0, rows.length * this.options.rowHeight - this.height));
    else if (shift) this.scrollTo(Math.max(0, this.top + shift * this.options.rowHeight));
    this.schedule();
  }

  /** Other zone, marks or language: every row is filled anew. */
  setStyle(style: RowStyle): void {
    this.style = style;
    for (const cells of this.live.values()) this.release(cells);
    this.live.clear();
    this.schedule();
  }

  select(index: number, reveal = true): void {
    this.selected = index;
    this.selectedRow = this.rows[index];
    if (reveal && index >= 0) {
      this.scrollTo(scrollToShow(index, this.top, this.height, this.options.rowHeight, this.rows.length));
    }
    this.schedule();
  }

  get atEnd(): boolean { return isAtEnd(this.top, this.height, this.options.rowHeight, this.rows.length); }
  get fits(): boolean { return this.rows.length * this.options.rowHeight <= this.height; }

  toEnd(): void {
    this.scrollTo(Math.max(0, this.rows.length * this.options.rowHeight - this.height));
    this.schedule();
  }

  page(): number { return Math.max(1, Math.floor(this.height / this.options.rowHeight) - 1); }

  private scrollTo(top: number): void {
    this.top = top;
    this.root.scrollTop = top;
  }

  private scrolled = () => {
    this.top = this.root.scrollTop;
    this.options.onScroll(this.top < 40 * this.options.rowHeight, this.atEnd);
    this.schedule();
  };

  private clicked = (event: MouseEvent) => {
    const element = (event.target as Element).closest<HTMLElement>('.row');
    if (!element || String(document.getSelection() ?? '').length > 0) return;
    const index = Number(element.dataset.index);
    if (index === this.selected || event.detail > 1 || !event.altKey) this.options.onOpen(index);
    else this.options.onSelect(index);
  };

  private resized(): void {
    const wasAtEnd = this.atEnd;
    this.height = this.root.clientHeight;
    if (wasAtEnd) this.scrollTo(Math.max(0, this.rows.length * this.options.rowHeight - this.height));
    this.schedule();
  }

  private schedule(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  private draw(): void {
    const { start, end } = windowOf(this.top, this.height, this.options.rowHeight, this.rows.length, 12);
    const wanted = new Set<Row>();
    for (let i = start; i < end; i++) wanted.add(this.rows[i]);
    for (const [row, cells] of this.live) {
      if (wanted.has(row)) continue;
      this.live.delete(row);
      this.release(cells);
    }
    for (let i = start; i < end; i++) this.place(this.rows[i], i);
    for (const cells of this.pool.splice(60)) cells.element.remove();
  }

  private release(cells: Cells): void {
    cells.element.hidden = true;
    this.pool.push(cells);
  }

  private place(row: Row, index: number): void {
    let cells = this.live.get(row);
    if (!cells) {
      cells = this.pool.pop() ?? this.create();
      this.fill(cells, row);
      cells.element.hidden = false;
      this.live.set(row, cells);
    }
    const { element } = cells;
    const at = String(index);
    if (element.dataset.index !== at) {
      element.dataset.index = at;
      element.style.transform = `translateY(${index * this.options.rowHeight}px)`;
      element.setAttribute('aria-rowindex', String(index + 1));
      element.id = 'row-' + at;
    }
    const on = index === this.selected && row === this.selectedRow;
    if (element.classList.contains('on') !== on) {
      element.classList.toggle('on', on);
      element.setAttribute('aria-selected', String(on));
    }
    if (on) this.root.setAttribute('aria-activedescendant', element.id);
  }

  private create(): Cells {
    const cell = (tag: string, name: string) => {
      const element = document.createElement(tag);
      element.className = name;
      element.setAttribute('role', 'gridcell');
      return element;
    };
    const element = document.createElement('div');
    element.setAttribute('role', 'row');
    const bar = document.createElement('s');
    bar.setAttribute('aria-hidden', 'true');
    const cells = { element, time: cell('span', 't'), level: cell('b', 'l'), host: cell('span', 'h'), message: cell('span', 'm') };
    element.append(bar, cells.time, cells.level, cells.host, cells.message);
    this.spacer.append(element);
    return cells;
  }

  private fill({ element, time, level, host, message }: Cells, row: Row): void {
    const { zone, dated, marks } = this.style;
    element.className = 'row lv-' + (row.level in letters ? row.level : 'none');
    time.textContent = rowTime(row.time, zone, dated);
    level.textContent = levelLetter(row.level);
    level.title = row.level;
    host.textContent = visible(this.style.origin === 'host' ? row.host : baseName(row.file));
    host.title = visible(`${row.host} ${row.file}`);
    const { line, more } = firstLine(row.text, row.lines);
    const lead = row.time_origin === 'parsed' ? stampLength(line) : 0;
    fillText(message, cut(line.slice(lead), kCut), marks);
    // The stamp stays in the text of the row; the sheet hides it while the time column shows the same.
    if (lead) message.prepend(this.tag('stamp', line.slice(0, lead)));
    if (more > 0) message.append(this.tag('fold', this.style.foldText(more)));
    else if (line.length > kCut || row.truncated) message.append(this.tag('fold', this.style.cutText));
  }

  private tag(name: string, text: string): HTMLElement {
    const element = document.createElement('span');
    element.className = name;
    element.textContent = text;
    return element;
  }
}
