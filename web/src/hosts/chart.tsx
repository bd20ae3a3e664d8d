// A chart of lines and the bars of a host's log lines, with one cursor for all of them.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { levels, type Bucket } from '../api/types';
import { short, t, type Key } from '../base/i18n';
import { clockText, dayText, msOf } from '../base/time';
import { go, kStart, view } from '../base/url_state';
import { niceMax, paths, ticks, tickText, total } from '../logs/histogram_math';
import { withFilter } from '../text/query_words';
import { visible } from '../text/segments';
import { pathOf, topOf, valueAt, type Extent, type Line } from './chart_math';
import { valueText, type Unit } from './host_data';

const kHeight = 150;
const kBarsHeight = 92;
const kLeft = 58;
const kRight = 10;
const kTop = 8;
const kAxis = 18;

/** Where the pointer is, in milliseconds; undefined: on no chart. */
export const cursor = signal<number | undefined>(undefined);

function useWidth() {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, width] as const;
}

/** Follows the pointer, and gives the part that was dragged over. */
function usePointer(extent: Extent, width: number, chosen: (from: number, to: number) => void) {
  const [drag, setDrag] = useState<[number, number] | undefined>();
  const inner = Math.max(1, width - kLeft - kRight);
  const xOf = (event: PointerEvent) => event.clientX - (event.currentTarget as Element).getBoundingClientRect().left;
  const timeAt = (x: number) => extent.from + Math.min(1, Math.max(0, (x - kLeft) / inner)) * (extent.to - extent.from);
  return {
    drag, inner,
    handlers: {
      onPointerDown: (event: PointerEvent) => {
        if (event.button !== 0) return;
        (event.currentTarget as Element).setPointerCapture(event.pointerId);
        setDrag([xOf(event), xOf(event)]);
      },
      onPointerMove: (event: PointerEvent) => {
        cursor.value = timeAt(xOf(event));
        if (drag) setDrag([drag[0], xOf(event)]);
      },
      onPointerUp: () => {
        if (drag && Math.abs(drag[1] - drag[0]) > 4) chosen(timeAt(Math.min(...drag)), timeAt(Math.max(...drag)));
        setDrag(undefined);
      },
      onPointerLeave: () => { cursor.value = undefined; },
      onPointerCancel: () => setDrag(undefined),
    },
  };
}

function Axis({ extent, inner, top, height }: { extent: Extent; inner: number; top: number; height: number }) {
  const { zone } = view.value;
  const xOf = (ms: number) => kLeft + (ms - extent.from) / (extent.to - extent.from) * inner;
  return (
    <g>
      {ticks(extent, Math.max(2, Math.floor(inner / 100)), zone).filter((ms) => xOf(ms) < kLeft + inner - 12).map((ms) => (
        <text key={ms} x={xOf(ms)} y={top + height + 14} text-anchor={xOf(ms) < kLeft + 20 ? 'start' : 'middle'}>{tickText(ms, extent, zone)}</text>
      ))}
    </g>
  );
}

function Cursor({ extent, inner, height }: { extent: Extent; inner: number; height: number }) {
  const at = cursor.value;
  if (at === undefined || at < extent.from || at > extent.to) return null;
  const x = kLeft + (at - extent.from) / (extent.to - extent.from) * inner;
  return <line class="cursor" x1={x} x2={x} y1={kTop} y2={kTop + height} />;
}

/** Values at the cursor, else the newest. */
function Legend({ lines, unit, reach, name }: { lines: Line[]; unit: Unit; reach: number; name: (line: Line) => string }) {
  const at = cursor.value;
  return (
    <span class="legend">
      {lines.map((line, i) => {
        const value = at === undefined ? line.values[line.values.length - 1] : valueAt(line, at, reach);
        return <span key={i}><i class={`key line-${i}`} />{name(line)} <b>{value === undefined ? '–' : valueText(value, unit)}</b></span>;
      })}
    </span>
  );
}

const translated = (line: Line) => { const key = `hosts.line.${line.name}` as Key; const text = t(key); return text === key ? visible(line.name) : text; };

export function Chart({ title, unit, least, lines, extent, step }: { title: string; unit: Unit; least: number; lines: Line[]; extent: Extent; step: number }) {
  const [ref, width] = useWidth();
  const { drag, inner, handlers } = usePointer(extent, width, (from, to) => go({ range: { kind: 'fixed', from: Math.floor(from), to: Math.ceil(to) } }));
  const box = { left: kLeft, top: kTop, width: inner, height: kHeight - kTop - kAxis };
  const top = topOf(lines, least);
  const gap = Math.max(step * 3000, 65_000);
  return (
    <section class="card chart">
      <h2>{title}<Legend lines={lines} unit={unit} reach={gap} name={translated} /></h2>
      <div ref={ref}>
        {width > 0 && (
          <svg width={width} height={kHeight} role="img" aria-label={title} {...handlers}>
            {[0, 0.5, 1].map((part) => (
              <g key={part}>
                <line class="grid" x1={kLeft} x2={kLeft + inner} y1={kTop + box.height * (1 - part)} y2={kTop + box.height * (1 - part)} />
                <text x={kLeft - 6} y={kTop + box.height * (1 - part) + 4} text-anchor="end">{valueText(top * part, unit)}</text>
              </g>
            ))}
            {lines.map((line, i) => <path key={'a' + i} class={`area line-${i}`} d={pathOf(line, extent, top, box, gap, true)} />)}
            {lines.map((line, i) => <path key={i} class={`stroke line-${i}`} d={pathOf(line, extent, top, box, gap)} />)}
            <Axis extent={extent} inner={inner} top={kTop} height={box.height} />
            <Cursor extent={extent} inner={inner} height={box.height} />
            {drag && <rect class="brush" x={Math.min(...drag)} width={Math.abs(drag[1] - drag[0])} y={kTop} height={box.height} />}
          </svg>
        )}
        {lines.length === 0 && <p class="hint none">{t('hosts.noSamples')}</p>}
      </div>
    </section>
  );
}

/** Log lines of the host; what is dragged over opens in Logs. */
export function LogBars({ host, extent, step, buckets }: { host: string; extent: Extent; step: number; buckets: Bucket[] }) {
  const [ref, width] = useWidth();
  const open = (from: number, to: number) => go({ ...kStart, zone: view.value.zone, query: withFilter('', 'host', host, true), live: false, range: { kind: 'fixed', from: Math.floor(from), to: Math.ceil(to) } });
  const { drag, inner, handlers } = usePointer(extent, width, open);
  const frame = { left: kLeft, width: inner, top: kTop, height: kBarsHeight - kTop - kAxis };
  const max = niceMax(Math.max(1, ...buckets.map(total)));
  const at = cursor.value;
  const under = at === undefined ? undefined : buckets.find((bucket) => at >= msOf(bucket.start) && at < msOf(bucket.start) + step);
  const sum = buckets.reduce((n, bucket) => n + total(bucket), 0);
  return (
    <section class="card chart bars">
      <h2>{t('hosts.lines')}<span class="minor">{at === undefined ? t('hosts.drag')
        : [`${dayText(at, view.value.zone)} ${clockText(at, view.value.zone)}`, ...levels.map((level, i) => (under && under.counts[i] > 0 ? `${t(`level.${level}`)} ${short(under.counts[i])}` : '')).reverse()].filter(Boolean).join(' · ')}</span></h2>
      <div ref={ref} class="hist-like">
        {width > 0 && (
          <svg width={width} height={kBarsHeight} role="img" aria-label={t('hist.label', { n: sum })} {...handlers}>
            <rect x="0" y="0" width={width} height={kBarsHeight} fill="transparent" />
            {paths(buckets, step, extent, max, frame).map(({ name, d }) => d && <path key={name} d={d} class={'bar-' + name} />)}
            <line class="grid" x1={kLeft} x2={kLeft + inner} y1={kTop + frame.height} y2={kTop + frame.height} />
            {sum > 0 && <text x={kLeft - 6} y={kTop + 8} text-anchor="end">{short(max)}</text>}
            <Axis extent={extent} inner={inner} top={kTop} height={frame.height} />
            <Cursor extent={extent} inner={inner} height={frame.height} />
            {drag && <rect class="brush" x={Math.min(...drag)} width={Math.abs(drag[1] - drag[0])} y={kTop} height={frame.height} />}
          </svg>
        )}
      </div>
    </section>
  );
}

export function Spark({ line, extent, top, warn }: { line: Line; extent: Extent; top: number; warn: boolean }) {
  const box = { left: 0, top: 1, width: 120, height: 18 };
  const gap = (extent.to - extent.from) / 10;
  return (
    <svg viewBox="0 0 120 20" preserveAspectRatio="none" aria-hidden="true" class={warn ? 'hot' : ''}>
      <path d={pathOf(line, extent, topOf([line], top), box, gap)} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
