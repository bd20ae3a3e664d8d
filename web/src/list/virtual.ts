// The arithmetic of the virtual list: rows of one height, of which only those in view (and a few around) exist.
export interface Window { start: number; end: number }

export function windowOf(scrollTop: number, viewHeight: number, rowHeight: number, count: number, overscan: number): Window {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight);
  const last = Math.ceil((Math.max(0, scrollTop) + viewHeight) / rowHeight);
  const start = Math.max(0, Math.min(first - overscan, count));
  return { start, end: Math.max(start, Math.min(count, last + overscan)) };
}

/** The nearest scrollTop at which row `index` is whole in view, with a margin of rows around it where there is room. */
export function scrollToShow(index: number, scrollTop: number, viewHeight: number, rowHeight: number, count: number, margin = 1): number {
  const room = Math.max(0, Math.min(margin, Math.floor((viewHeight / rowHeight - 1) / 2)));
  const top = (index - room) * rowHeight;
  const bottom = (index + 1 + room) * rowHeight - viewHeight;
  const target = top < scrollTop ? top : bottom > scrollTop ? bottom : scrollTop;
  return Math.max(0, Math.min(target, Math.max(0, count * rowHeight - viewHeight)));
}

export function isAtEnd(scrollTop: number, viewHeight: number, rowHeight: number, count: number): boolean {
  return scrollTop + viewHeight >= count * rowHeight - rowHeight / 2;
}
