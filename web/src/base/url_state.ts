// Everything that shapes the view stands in the address, behind the hash: the server needs no routes for it, any path works
// behind a proxy, and what people search does not land in access logs.
import { signal } from '@preact/signals';
import { kAll, rangeFromUrl, rangeToUrl, type Range } from './range';
import type { Zone } from './time';

export type PageName = 'logs' | 'hosts' | 'sources' | 'fleet' | 'status' | 'add';
export interface View {
  page: PageName; query: string; range: Range; live: boolean; zone: Zone;
  /** Id of the row whose detail is open. */
  open: string;
  /** Of Fleet: id of the agent that is looked at; of Hosts: name of the host. */
  host: string;
}

const pages: PageName[] = ['logs', 'hosts', 'sources', 'fleet', 'status', 'add'];
export const kStart: View = { page: 'logs', query: '', range: kAll, live: true, zone: 'local', open: '', host: '' };

export function toHash(view: View): string {
  const query = new URLSearchParams();
  if (view.query) query.set('q', view.query);
  const range = rangeToUrl(view.range);
  if (range) query.set('t', range);
  if (!view.live) query.set('live', '0');
  if (view.zone !== 'local') query.set('z', view.zone);
  if (view.open) query.set('row', view.open);
  if (view.host && (view.page === 'fleet' || view.page === 'hosts')) query.set('host', view.host);
  const text = query.toString();
  return `#/${view.page}${text ? '?' + text : ''}`;
}

export function fromHash(hash: string, zone: Zone = 'local'): View {
  const [path, text = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const query = new URLSearchParams(text);
  const page = pages.includes(path as PageName) ? path as PageName : 'logs';
  return { page, query: query.get('q') ?? '', range: rangeFromUrl(query.get('t') ?? ''), live: query.get('live') !== '0',
    zone: query.has('z') ? (query.get('z') === 'utc' ? 'utc' : 'local') : zone, open: query.get('row') ?? '', host: query.get('host') ?? '' };
}

export const view = signal<View>(kStart);

/** Changes the view. A step people would take back with Back makes an entry of the history; small ones replace it. */
export function go(change: Partial<View>, replace = false): void {
  const next = { ...view.value, ...change };
  const hash = toHash(next);
  if (hash !== location.hash) history[replace ? 'replaceState' : 'pushState'](null, '', hash);
  view.value = next;
}

export function listenToAddress(): void {
  const read = () => { view.value = fromHash(location.hash, view.value.zone); };
  addEventListener('popstate', read);
  addEventListener('hashchange', read);
}
