// Text of a log inside a component.
import { useEffect, useRef } from 'preact/hooks';
import { fillText } from '../text/nodes';
import type { Mark } from '../text/segments';

export function LogText({ text, marks, tag: Tag = 'span', class: name }: { text: string; marks?: Mark[]; tag?: 'span' | 'pre' | 'dd' | 'div'; class?: string }) {
  const ref = useRef<any>(null);
  useEffect(() => { if (ref.current) fillText(ref.current, text, marks); }, [text, marks]);
  return <Tag ref={ref} class={name} />;
}
