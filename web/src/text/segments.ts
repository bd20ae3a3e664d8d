// From the text of a log line to what may be shown: ANSI colours become styles, control and bidi characters become visible
// escapes, searched words are marked. The result is plain data; only text nodes are made of it (see nodes.ts).

export interface Segment {
  text: string;
  kind: 'text' | 'escape';
  /** Class names: fg-1, bg-4, bold, dim, italic, underline. */
  style: string;
  /** 0: not marked; else the number of the highlight, from 1. */
  mark: number;
  /** What an escape stands for, for its tooltip and for copying. */
  title?: string;
}

/** What a message shows in the list before someone asks for more. */
export const kCut = 4096;

/** Cut to `limit` UTF-16 units, never inside a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? limit - 1 : limit);
}

// ESC sequences; runs of NUL; other control characters but tab and newline; bidi and invisible format characters; lone
// surrogates. Zero width (non-)joiners stay: scripts and emoji need them.
// eslint-disable-next-line no-control-regex
const special = new RegExp('\\u001b\\[([0-9;:]*)m|\\u0000{2,}|\\r\\n|[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160\\u180e' +
  '\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e0fff}]|[\\ud800-\\udbff](?![\\udc00-\\udfff])|' +
  '(?<![\\ud800-\\udbff])[\\udc00-\\udfff]', 'gu');

const names: Record<number, string> = { 0x1b: '\\e', 0x0d: '\\r', 0x07: '\\a', 0x08: '\\b', 0x0b: '\\v', 0x0c: '\\f', 0x00: '\\0' };
const titles: Record<number, string> = {
  0x00: 'NUL', 0x07: 'bell', 0x08: 'backspace', 0x0b: 'vertical tab', 0x0c: 'form feed', 0x0d: 'carriage return', 0x1b: 'escape',
  0x7f: 'delete', 0xad: 'soft hyphen', 0x61c: 'Arabic letter mark', 0x200b: 'zero width space', 0x200e: 'left-to-right mark',
  0x200f: 'right-to-left mark', 0x2028: 'line separator', 0x2029: 'paragraph separator', 0x202a: 'left-to-right embedding',
  0x202b: 'right-to-left embedding', 0x202c: 'pop directional formatting', 0x202d: 'left-to-right override',
  0x202e: 'right-to-left override', 0x2066: 'left-to-right isolate', 0x2067: 'right-to-left isolate', 0x2068: 'first strong isolate',
  0x2069: 'pop directional isolate', 0xfeff: 'byte order mark',
};

/** The visible form of one character, \x01, \u202e, \e. */
export function escapeName(code: number): string {
  if (names[code]) return names[code];
  if (code < 0x100) return '\\x' + code.toString(16).padStart(2, '0');
  return code < 0x10000 ? '\\u' + code.toString(16).padStart(4, '0') : `\\u{${code.toString(16)}}`;
}

/** Whole text with every unsafe character escaped: for names, tooltips, titles. */
export function visible(text: string): string {
  return segments(text).map((s) => s.text).join('').replace(/[\n\t]/g, (c) => (c === '\n' ? '\\n' : '\\t'));
}

// ---- ANSI

interface Pen { fg: number; bg: number; bold: boolean; dim: boolean; italic: boolean; underline: boolean; inverse: boolean }
const newPen = (): Pen => ({ fg: -1, bg: -1, bold: false, dim: false, italic: false, underline: false, inverse: false });

function penStyle(pen: Pen): string {
  const [fg, bg] = pen.inverse ? [pen.bg, pen.fg < 0 ? 7 : pen.fg] : [pen.fg, pen.bg];
  const names: string[] = [];
  if (fg >= 0) names.push('fg-' + fg);
  if (bg >= 0) names.push('bg-' + (bg & 7));
  if (pen.bold) names.push('bold');
  if (pen.dim) names.push('dim');
  if (pen.italic) names.push('italic');
  if (pen.underline) names.push('underline');
  return names.join(' ');
}

/** The nearest of the sixteen colours: only those are tuned to be readable in both themes. */
export function nearest(r: number, g: number, b: number): number {
  const high = Math.max(r, g, b);
  const low = Math.min(r, g, b);
  if (high - low < 40) return high < 64 ? 0 : high < 160 ? 8 : high < 224 ? 7 : 15;
  const cut = low + (high - low) / 2;
  const base = (r > cut ? 1 : 0) | (g > cut ? 2 : 0) | (b > cut ? 4 : 0);
  return high > 210 ? base + 8 : base;
}

function color256(n: number): number {
  if (n < 16) return n;
  if (n >= 232) return nearest(...Array(3).fill(8 + (n - 232) * 10) as [number, number, number]);
  const step = (v: number) => (v === 0 ? 0 : 55 + v * 40);
  const c = n - 16;
  return nearest(step(Math.floor(c / 36)), step(Math.floor(c / 6) % 6), step(c % 6));
}

/** Reads the colour behind 38 or 48 at codes[i]; returns it and how many codes it took. */
function extended(codes: number[], i: number): [number, number] {
  const byte = (v: number | undefined) => Math.min(255, Math.max(0, v || 0));
  if (codes[i + 1] === 5) return [color256(byte(codes[i + 2])), 2];
  if (codes[i + 1] === 2) return [nearest(byte(codes[i + 2]), byte(codes[i + 3]), byte(codes[i + 4])), 4];
  return [-1, codes.length];
}

function applySgr(pen: Pen, parameters: string): void {
  const codes = parameters.split(/[;:]/).map(Number);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code === 0) Object.assign(pen, newPen());
    else if (code >= 30 && code <= 37) pen.fg = code - 30;
    else if (code >= 90 && code <= 97) pen.fg = code - 82;
    else if (code >= 40 && code <= 47) pen.bg = code - 40;
    else if (code >= 100 && code <= 107) pen.bg = code - 92;
    else if (code === 38 || code === 48) {
      const [color, used] = extended(codes, i);
      pen[code === 38 ? 'fg' : 'bg'] = color;
      i += used;
    } else applyAttribute(pen, code);
  }
}

function applyAttribute(pen: Pen, code: number): void {
  if (code === 1) pen.bold = true;
  else if (code === 2) pen.dim = true;
  else if (code === 3) pen.italic = true;
  else if (code === 4) pen.underline = true;
  else if (code === 7) pen.inverse = true;
  else if (code === 22) pen.bold = pen.dim = false;
  else if (code === 23) pen.italic = false;
  else if (code === 24) pen.underline = false;
  else if (code === 27) pen.inverse = false;
  else if (code === 39) pen.fg = -1;
  else if (code === 49) pen.bg = -1;
}

// ---- splitting

function escapeSegment(found: string, style: string): Segment | undefined {
  if (found === '\r\n') return { text: '\n', kind: 'text', style, mark: 0 };
  if (found.length > 1 && found.charCodeAt(0) === 0) {
    return { text: `${found.length} zero bytes`, kind: 'escape', style: '', mark: 0, title: 'NUL' };
  }
  const code = found.codePointAt(0) ?? 0;
  const hex = 'U+' + code.toString(16).toUpperCase().padStart(4, '0');
  return { text: escapeName(code), kind: 'escape', style: '', mark: 0, title: titles[code] ? `${hex} ${titles[code]}` : hex };
}

/** Segments without marks. A byte order mark at the start and the CR of a CRLF are not shown. */
function split(text: string): Segment[] {
  const out: Segment[] = [];
  const pen = newPen();
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const put = (end: number) => { if (end > at) out.push({ text: text.slice(at, end), kind: 'text', style: penStyle(pen), mark: 0 }); };
  special.lastIndex = at;
  for (let match = special.exec(text); match; match = special.exec(text)) {
    put(match.index);
    at = match.index + match[0].length;
    if (match[1] !== undefined) applySgr(pen, match[1]);
    else if (match[0] === '\r' && at === text.length) continue;
    else {
      const segment = escapeSegment(match[0], penStyle(pen));
      if (segment) out.push(segment);
    }
  }
  put(text.length);
  return out;
}

// ---- marks

export interface Mark { pattern: RegExp; number: number }

/** Found ranges of the plain text, ascending, not overlapping: earlier marks win. */
function ranges(plain: string, marks: Mark[]): [number, number, number][] {
  const found: [number, number, number][] = [];
  for (const { pattern, number } of marks) {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(plain), n = 0; match && n < 500; match = pattern.exec(plain), n++) {
      if (match[0].length === 0) pattern.lastIndex++;
      else found.push([match.index, match.index + match[0].length, number]);
    }
  }
  found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  const kept: [number, number, number][] = [];
  for (const range of found) if (!kept.length || range[0] >= kept[kept.length - 1][1]) kept.push(range);
  return kept;
}

/** Marks run over the plain characters, so a colour change inside a word does not hide it. */
function marked(list: Segment[], marks: Mark[]): Segment[] {
  const plain = list.map((s) => (s.kind === 'text' ? s.text : ' ')).join('');
  const found = ranges(plain, marks);
  if (!found.length) return list;
  const out: Segment[] = [];
  let base = 0;
  let r = 0;
  for (const segment of list) {
    const width = segment.kind === 'text' ? segment.text.length : 1;
    const end = base + width;
    let at = base;
    while (segment.kind === 'text' && r < found.length && found[r][0] < end) {
      const [from, to, number] = found[r];
      if (from > at) out.push({ ...segment, text: segment.text.slice(at - base, from - base) });
      const stop = Math.min(to, end);
      out.push({ ...segment, text: segment.text.slice(Math.max(from, at) - base, stop - base), mark: number });
      at = stop;
      if (to > end) break;
      r++;
    }
    if (segment.kind === 'escape') out.push(segment);
    else if (at < end) out.push({ ...segment, text: segment.text.slice(at - base) });
    base = end;
    while (r < found.length && found[r][1] <= base) r++;
  }
  return out;
}

export function segments(text: string, marks: Mark[] = []): Segment[] {
  const list = split(text);
  return marks.length ? marked(list, marks) : list;
}

// The stamp a line begins with, as the list's own time column shows it: ISO, slashes, syslog, in brackets or bare.
const stamp = /^(?:\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)\]?)[ \t]+(?=\S)/;

/** How many characters of a line are its leading time stamp, with the space behind it; 0 when there is none. */
export function stampLength(line: string): number {
  return stamp.exec(line.slice(0, 64))?.[0].length ?? 0;
}

/** The first line of a record, and how many follow. */
export function firstLine(text: string, lines: number): { line: string; more: number } {
  const at = text.indexOf('\n');
  return at < 0 ? { line: text, more: 0 } : { line: text.slice(0, at), more: Math.max(1, lines - 1) };
}
