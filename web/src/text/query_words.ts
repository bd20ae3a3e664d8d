// What of a query is shown in colour while it is typed, and which words it marks in the lines. Follows the language of
// docs/reference/query.md closely enough for that; only the server decides what matches.
import type { Mark } from './segments';

export type TokenKind = 'space' | 'word' | 'phrase' | 'regex' | 'operator' | 'paren' | 'field' | 'value';
export interface Token { kind: TokenKind; text: string; negated: boolean }

const patterns: [TokenKind, RegExp][] = [
  ['space', /\s+/y],
  ['paren', /[()]/y],
  ['operator', /(?:AND|OR|NOT)(?=[\s()]|$)/y],
  ['operator', /-(?=\S)/y],
  ['field', /[\p{L}_@][\p{L}\p{N}_.@/\-]*:/yu],
  ['phrase', /~"(?:[^"\\]|\\.)*(?:"i?)?/y],
  ['phrase', /=?"(?:[^"\\]|\\.)*"?/y],
  // A slash ends an expression only before a space, a ")" or the end: /var/log/syslog is a word.
  ['regex', /\/(?:[^\\]|\\.)+?\/i?(?=[\s)]|$)/y],
  ['word', /[^\s()]+/y],
];
const valuePatterns: RegExp[] = [/~?"(?:[^"\\]|\\.)*"?/y, /[[{][^\]}]*[\]}]?/y, /(?:>=|<=|>|<)?[^\s()]+/y];

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

export function tokens(query: string): Token[] {
  const out: Token[] = [];
  let negated = false;
  for (let at = 0; at < query.length;) {
    const previous = out[out.length - 1];
    const value = previous?.kind === 'field' ? valuePatterns.map((p) => matchAt(p, query, at)).find((t) => t) : undefined;
    const [kind, text] = value ? ['value' as TokenKind, value] : next(query, at);
    if (kind === 'operator') negated = text === 'NOT' || text === '-' ? true : negated && false;
    out.push({ kind, text, negated });
    if (kind !== 'operator' && kind !== 'space' && kind !== 'field') negated = false;
    at += text.length;
  }
  return out;
}

function next(query: string, at: number): [TokenKind, string] {
  for (const [kind, pattern] of patterns) {
    const text = matchAt(pattern, query, at);
    if (text) return [kind, text];
  }
  return ['word', query[at]];
}

const quoteRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const wordStart = /^[A-Za-z0-9_]/;
const wordEnd = /[A-Za-z0-9_]$/;

/** At token boundaries, as the search itself does it. */
function literal(text: string): string {
  const before = wordStart.test(text) ? '(?<![A-Za-z0-9_])' : '';
  const after = wordEnd.test(text) ? '(?![A-Za-z0-9_])' : '';
  return before + quoteRegExp(text) + after;
}

function wildcard(text: string): string | undefined {
  const parts = text.split('*');
  if (parts.every((part) => part === '')) return undefined;
  const open = text.startsWith('*');
  const close = text.endsWith('*');
  const core = parts.filter((part, i) => part || (i > 0 && i < parts.length - 1)).map(quoteRegExp).join('[^\\n]*?');
  return (!open && wordStart.test(text) ? '(?<![A-Za-z0-9_])' : '') + core + (!close && wordEnd.test(text) ? '(?![A-Za-z0-9_])' : '');
}

/** Patterns that could take long in a backtracking engine are not marked: a repeated group, or very long. */
const tooSlow = (source: string) => source.length > 200 || /\)[*+{]/.test(source) || /\\[1-9]/.test(source);

function sourceOf(token: Token): [string, string] | undefined {
  const { kind, text } = token;
  if (kind === 'word') {
    const exact = text.length > 1 && text.startsWith('=');
    const bare = exact ? text.slice(1) : text;
    const source = bare.includes('*') ? wildcard(bare) : literal(bare);
    return source ? [source, exact ? 'gu' : 'giu'] : undefined;
  }
  if (kind === 'phrase' && !text.startsWith('~')) {
    const inner = text.replace(/^="|^"|"$/g, '').replace(/\\(.)/g, '$1');
    return inner ? [literal(inner), text.startsWith('=') ? 'gu' : 'giu'] : undefined;
  }
  if (kind === 'regex' || kind === 'phrase') {
    const fold = kind === 'regex' ? text.endsWith('/i') : text.endsWith('"i');
    const source = kind === 'regex' ? text.replace(/^\/|\/i?$/g, '') : text.replace(/^~"|"i?$/g, '');
    return tooSlow(source) ? undefined : [source, fold ? 'gi' : 'g'];
  }
  return undefined;
}

/** The searched words of a query as marks; what is negated or bound to a field is not marked. */
export function marksOf(query: string, plain = false): Mark[] {
  const list: Token[] = plain
    ? query.split(/\s+/).filter(Boolean).map((text) => ({ kind: 'phrase', text: `"${text.replace(/["\\]/g, '\\$&')}"`, negated: false }))
    : tokens(query);
  const out: Mark[] = [];
  for (const token of list) {
    const source = token.negated || out.length >= 50 ? undefined : sourceOf(token);
    if (!source) continue;
    try {
      out.push({ pattern: new RegExp(source[0], source[1]), number: 1 });
    } catch { /* RE2 accepts what JavaScript does not: such a pattern is searched but not marked */ }
  }
  return out;
}

// ---- changing a query

const bare = /^[\p{L}\p{N}_][\p{L}\p{N}_.\-/@]*$/u;
const reserved = /^(AND|OR|NOT|TO)$/;

export function quoteValue(value: string): string {
  if (bare.test(value) && !reserved.test(value)) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** The query with `field:value` kept or dropped. An OR at the top is put in parentheses first. */
export function withFilter(query: string, field: string, value: string, keep: boolean): string {
  const term = `${field}:${quoteValue(value)}`;
  const trimmed = query.trim();
  const list = terms(trimmed);
  const same = list.indexOf(keep ? term : '-' + term);
  if (same >= 0) return list.filter((_, i) => i !== same).join(' ');
  const rest = list.filter((text) => text !== term && text !== '-' + term).join(' ');
  const grouped = hasTopOr(rest) ? `(${rest})` : rest;
  return `${grouped} ${keep ? '' : '-'}${term}`.trim();
}

/** The terms of a query with their field and minus, parentheses kept whole. */
export function terms(query: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let current = '';
  for (const token of tokens(query)) {
    if (token.kind === 'paren') depth += token.text === '(' ? 1 : -1;
    if (token.kind === 'space' && depth <= 0) {
      if (current) out.push(current);
      current = '';
    } else current += token.text;
  }
  if (current) out.push(current);
  return out;
}

function hasTopOr(query: string): boolean {
  return terms(query).includes('OR');
}

export function hasTerm(query: string, field: string, value: string, keep = true): boolean {
  return terms(query).includes(`${keep ? '' : '-'}${field}:${quoteValue(value)}`);
}
