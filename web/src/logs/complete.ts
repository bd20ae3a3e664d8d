// What may follow where the cursor stands: names of fields, and behind a field's colon its values.
import { quoteValue } from '../text/query_words';

export interface Place { kind: 'field' | 'value'; field: string; typed: string; start: number; end: number }

/** The word before the cursor, as something to complete; undefined inside quotes, regexes and after spaces. */
export function placeAt(query: string, cursor: number): Place | undefined {
  const before = query.slice(0, cursor);
  if ((before.match(/"/g) ?? []).length % 2) {
    const open = /(?:^|[\s(-])([\p{L}_@][\p{L}\p{N}_.@/-]*):"([^"]*)$/u.exec(before);
    return open ? { kind: 'value', field: open[1], typed: open[2], start: cursor - open[2].length - 1, end: cursor } : undefined;
  }
  const match = /(?:^|[\s(]|^-|[\s(]-)(?:([\p{L}_@][\p{L}\p{N}_.@/-]*):)?([\p{L}\p{N}_.@/-]*)$/u.exec(before);
  if (!match) return undefined;
  const typed = match[2];
  if (match[1]) return { kind: 'value', field: match[1], typed, start: cursor - typed.length, end: cursor };
  const name = typed.replace(/^-/, '');
  return name ? { kind: 'field', field: '', typed: name, start: cursor - name.length, end: cursor } : undefined;
}

/** The query with the choice in place, and where the cursor goes. */
export function completed(query: string, place: Place, choice: string): { text: string; cursor: number } {
  const put = place.kind === 'field' ? choice + ':' : quoteValue(choice) + ' ';
  const rest = query.slice(place.end).replace(place.kind === 'value' ? /^"?\s?/ : /^:/, '');
  return { text: query.slice(0, place.start) + put + rest, cursor: place.start + put.length };
}

/** Names that begin so, then names that hold it somewhere; case does not count. */
export function namesFor(typed: string, names: string[]): string[] {
  const low = typed.toLowerCase();
  const begins = names.filter((name) => name.toLowerCase().startsWith(low));
  const holds = low.length > 1 ? names.filter((name) => !begins.includes(name) && name.toLowerCase().includes(low)) : [];
  return [...begins, ...holds].filter((name) => name.toLowerCase() !== low || begins.length + holds.length > 1).slice(0, 8);
}
