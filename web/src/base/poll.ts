// Asks for something again and again while someone looks: never two at once, not in a hidden tab.
import { useEffect, useState } from 'preact/hooks';

export interface Polled<T> { value: T | undefined; error: Error | undefined; again: () => void }

export function usePoll<T>(ask: () => Promise<T>, everyMs: number, active = true): Polled<T> {
  const [value, setValue] = useState<T | undefined>();
  const [error, setError] = useState<Error | undefined>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!active) return;
    let stopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const step = async () => {
      if (!document.hidden) {
        try {
          const next = await ask();
          if (!stopped) { setValue(next); setError(undefined); }
        } catch (problem) {
          if (!stopped) setError(problem as Error);
        }
      }
      if (!stopped) timer = setTimeout(step, everyMs);
    };
    void step();
    return () => { stopped = true; clearTimeout(timer); };
  }, [active, round]);
  return { value, error, again: () => setRound(round + 1) };
}
