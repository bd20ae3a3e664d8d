// The histogram: bars stacked by level, a brush to choose a range, the counts under the pointer.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { levels, type Bucket } from '../api/types';
import { count, short, span, t } from '../base/i18n';
import { kAll, zoomedOut, shifted } from '../base/range';
import { clockText, dayText, msOf } from '../base/time';
import { go, view } from '../base/url_state';
import { Icon } from '../base/icons';
import { extentOf, niceMax, paths, ticks, tickText, total, type Extent } from './histogram_math';
import { session } from './session';

const kHeight = 88;
const kLeft = 46;
const kRight = 12;
const kTop = 6;
const kAxis = 17;

function useWidth() {
  const ref = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, width] as const;
}

function Tip({ bucket, step, x, width }: { bucket: Bucket; step: number; x: number; width: number }) {
  const start = msOf(bucket.start);
  const { zone } = view.value;
  const seconds = step < 60_000;
  return (
    <div class="hist-tip" style={{ left: `${Math.min(Math.max(x, 90), width - 90)}px` }}>
      <div class="when">{dayText(start, zone)} {clockText(start, zone, seconds)} · {span(step)}</div>
      {levels.map((level, i) => bucket.counts[i] > 0 && (
        <div key={level}><span class={`dot bar-${level}`} />{t(`level.${level}`)}<em>{count(bucket.counts[i])}</em></div>
      )).reverse()}
    </div>
  );
}

/** Zooms to the chosen part, in whole milliseconds. */
function choose(a: number, b: number): void {
  const from = Math.floor(Math.min(a, b));
  go({ range: { kind: 'fixed', from, to: Math.max(Math.ceil(Math.max(a, b)), from + 1) }, open: '' });
}

export function Histogram() {
  const [ref, width] = useWidth();
  const [drag, setDrag] = useState<[number, number] | undefined>();
  const [hover, setHover] = useState<number | undefined>();
  const data = session.histogram.value;
  const { zone } = view.value;
  const inner = Math.max(10, width - kLeft - kRight);
  const frame = { left: kLeft, width: inner, top: kTop, height: kHeight - kTop - kAxis };
  const extent = data && extentOf(data.buckets, data.step, data.from, data.to);
  const max = useMemo(() => niceMax(Math.max(1, ...(data?.buckets ?? []).map(total))), [data]);
  const timeAt = (x: number, e: Extent) => e.from + Math.min(1, Math.max(0, (x - kLeft) / inner)) * (e.to - e.from);
  const xOf = (event: PointerEvent) => event.clientX - (ref.current?.getBoundingClientRect().left ?? 0);

  const onDown = (event: PointerEvent) => {
    if (event.button !== 0 || !extent) return;
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    setDrag([xOf(event), xOf(event)]);
  };
  const onMove = (event: PointerEvent) => {
    setHover(xOf(event));
    if (drag) setDrag([drag[0], xOf(event)]);
  };
  const onUp = () => {
    if (drag && extent && Math.abs(drag[1] - drag[0]) > 3) choose(timeAt(drag[0], extent), timeAt(drag[1], extent));
    else if (drag && under && data) choose(msOf(under.start), msOf(under.start) + data.step);
    setDrag(undefined);
  };
  const at = hover !== undefined && extent ? timeAt(hover, extent) : undefined;
  const under = at === undefined ? undefined : data?.buckets.find((b) => at >= msOf(b.start) && at < msOf(b.start) + data.step);
  const sum = (data?.buckets ?? []).reduce((n, b) => n + total(b), 0);
  return (
    <section class="hist" ref={ref} aria-label={t('hist.name')}>
      {width > 0 && (
        <svg role="img" aria-label={t('hist.label', { n: sum })} width={width} height={kHeight} onPointerDown={onDown} onPointerMove={onMove} onPointerUp={onUp}
          onPointerLeave={() => setHover(undefined)} onPointerCancel={() => setDrag(undefined)}>
          <rect x="0" y="0" width={width} height={kHeight} fill="transparent" />
          {data && extent && <Bars extent={extent} frame={frame} max={max} most={Math.max(2, Math.floor(inner / 110))} />}
          <line x1={kLeft} x2={kLeft + inner} y1={kHeight - kAxis + 0.5} y2={kHeight - kAxis + 0.5} class="axis" />
          {drag && <rect class="brush" x={Math.min(...drag)} width={Math.abs(drag[1] - drag[0])} y={kTop} height={frame.height} />}
          {data && sum > 0 && [1, 0.5].map((part) => (
            <text key={part} x={kLeft - 6} y={kTop + frame.height * (1 - part) + 8} text-anchor="end" data-zone={zone}>{short(max * part)}</text>
          ))}
        </svg>
      )}
      {data && under && !drag && hover !== undefined && <Tip bucket={under} step={data.step} x={hover} width={width} />}
      <div class="hist-tools">
        <button class="ghost small" title={t('hist.earlier')} aria-label={t('hist.earlier')} onClick={() => shift(-1)}><Icon name="left" /></button>
        <button class="ghost small" title={t('hist.zoomOut')} aria-label={t('hist.zoomOut')} onClick={zoom}><Icon name="zoomOut" /></button>
        <button class="ghost small" title={t('hist.later')} aria-label={t('hist.later')} onClick={() => shift(1)}><Icon name="right" /></button>
      </div>
    </section>
  );
}

function shift(direction: -1 | 1): void {
  const range = shifted(view.value.range, direction, Date.now());
  if (range) go({ range, open: '' });
}

function zoom(): void {
  if (view.value.range.kind !== 'all') go({ range: zoomedOut(view.value.range, Date.now()) ?? kAll, open: '' });
}

function Bars({ extent, frame, max, most }: { extent: Extent; frame: { left: number; width: number; top: number; height: number }; max: number; most: number }) {
  const data = session.histogram.value;
  const { zone } = view.value;
  const list = useMemo(() => (data ? paths(data.buckets, data.step, extent, max, frame) : []), [data, extent.from, extent.to, max, frame.width]);
  const scale = frame.width / (extent.to - extent.from);
  const last = frame.left + frame.width;
  return (
    <g>
      {list.map(({ name, d }) => d && <path key={name} d={d} class={'bar-' + name} />)}
      {ticks(extent, most, zone).map((ms) => {
        const x = frame.left + (ms - extent.from) * scale;
        if (x > last - 12) return null;
        return (
          <g key={ms}>
            <line x1={x} x2={x} y1={frame.top + frame.height} y2={frame.top + frame.height + 3} class="axis" />
            <text x={x} y={kHeight - 4} text-anchor={x < frame.left + 20 ? 'start' : 'middle'}>{tickText(ms, extent, zone)}</text>
          </g>
        );
      })}
    </g>
  );
}
