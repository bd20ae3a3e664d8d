// Times are nanoseconds since the epoch, held as decimal strings (they do not fit a double); milliseconds where the exact
// value does not matter (axes, ranges).
export type Ns = string;
export type Zone = 'local' | 'utc';

/** Milliseconds of a nanosecond string, rounded down. NaN for something else. */
export function msOf(ns: Ns): number {
  if (!/^-?\d+$/.test(ns)) return NaN;
  const value = BigInt(ns);
  const ms = value / 1000000n;
  return Number(value < 0n && value % 1000000n !== 0n ? ms - 1n : ms);
}

export function nsOf(ms: number): Ns {
  return (BigInt(Math.round(ms)) * 1000000n).toString();
}

/** Order of two nanosecond strings, without numbers that would lose their last digits. */
export function compareNs(a: Ns, b: Ns): number {
  if (a === b) return 0;
  const negative = a.startsWith('-');
  if (negative !== b.startsWith('-')) return negative ? -1 : 1;
  const order = a.length - b.length || (a < b ? -1 : 1);
  return negative ? -order : order;
}

/** The digits below the millisecond, "456789" of ...123456789. */
function subMillisecond(ns: Ns): string {
  const rest = ((BigInt(ns) % 1000000n) + 1000000n) % 1000000n;
  return rest.toString().padStart(6, '0');
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

export interface Civil { year: number; month: number; day: number; hour: number; minute: number; second: number; ms: number }

export function civil(ms: number, zone: Zone): Civil {
  const d = new Date(ms);
  if (zone === 'utc') {
    return { year: d.getUTCFullYear(), month: d.getUTCMonth() + 1, day: d.getUTCDate(), hour: d.getUTCHours(),
      minute: d.getUTCMinutes(), second: d.getUTCSeconds(), ms: d.getUTCMilliseconds() };
  }
  return { year: d.getFullYear(), month: d.getMonth() + 1, day: d.getDate(), hour: d.getHours(), minute: d.getMinutes(),
    second: d.getSeconds(), ms: d.getMilliseconds() };
}

/** The moment of a civil time in a zone; fields may overflow (day 0 is the last of the month before). */
export function fromCivil(c: Partial<Civil> & { year: number }, zone: Zone): number {
  const args = [c.year, (c.month ?? 1) - 1, c.day ?? 1, c.hour ?? 0, c.minute ?? 0, c.second ?? 0, c.ms ?? 0] as const;
  const d = new Date(0);
  if (zone === 'utc') {
    d.setUTCFullYear(args[0], args[1], args[2]);
    return d.setUTCHours(args[3], args[4], args[5], args[6]);
  }
  d.setFullYear(args[0], args[1], args[2]);
  return d.setHours(args[3], args[4], args[5], args[6]);
}

export function dayText(ms: number, zone: Zone): string {
  const c = civil(ms, zone);
  return `${pad(c.year, 4)}-${pad(c.month)}-${pad(c.day)}`;
}

export function clockText(ms: number, zone: Zone, seconds = true): string {
  const c = civil(ms, zone);
  return `${pad(c.hour)}:${pad(c.minute)}${seconds ? ':' + pad(c.second) : ''}`;
}

/** 14:31:58.204, or with the month and day before it. */
export function rowTime(ns: Ns, zone: Zone, dated: boolean): string {
  const ms = msOf(ns);
  const c = civil(ms, zone);
  if (Number.isNaN(c.year)) return ns;
  const clock = `${pad(c.hour)}:${pad(c.minute)}:${pad(c.second)}.${pad(c.ms, 3)}`;
  return dated ? `${pad(c.month)}-${pad(c.day)} ${clock}` : clock;
}

/** Minutes east of UTC as +08:00; Z for UTC. */
export function offsetText(ms: number, zone: Zone): string {
  if (zone === 'utc') return 'Z';
  const east = -new Date(ms).getTimezoneOffset();
  const size = Math.abs(east);
  return `${east < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

/** The whole time with every digit it has: 2026-11-20 14:31:58.204117 +08:00. */
export function fullTime(ns: Ns, zone: Zone): string {
  const ms = msOf(ns);
  const c = civil(ms, zone);
  if (Number.isNaN(c.year)) return ns;
  const fraction = (pad(c.ms, 3) + subMillisecond(ns)).replace(/(000)+$/, '') || '000';
  return `${dayText(ms, zone)} ${clockText(ms, zone)}.${fraction} ${offsetText(ms, zone)}`;
}

/** As fullTime, in the form other programs read. */
export function isoTime(ns: Ns, zone: Zone): string {
  const [day, clock, offset] = fullTime(ns, zone).split(' ');
  return clock ? `${day}T${clock}${offset}` : ns;
}
