/** What the service does for all callers, live, while the page can be seen. */

import { useEffect, useState } from 'react';
import { type Overview, operatorEvents } from '../api/client';
import { ApiError } from '../api/errors';
import { pause } from '../pause';
import { type Settings, useSettings } from '../settings';

const RETRY_MS = 2000;

/** The last overview that came stays while the line is down. */
export interface Live {
  readonly line: 'opening' | 'open' | 'broken';
  readonly overview: Overview | null;
  /** Why nothing is shown to this caller, or by this service: it is not asked again. */
  readonly refusal: ApiError | null;
}

const NOTHING: Live = { line: 'opening', overview: null, refusal: null };

export function useOverview(): Live {
  const settings = useSettings();
  const [{ live, of }, setLive] = useState<{ live: Live; of: Settings }>({ live: NOTHING, of: settings });
  useEffect(() => {
    let stop = new AbortController();
    const begin = () => {
      stop.abort();
      stop = new AbortController();
      const tell = (changes: Partial<Live>) =>
        setLive((now) => ({ live: { ...(now.of === settings ? now.live : NOTHING), ...changes }, of: settings }));
      if (document.visibilityState === 'visible') void follow(stop.signal, tell);
    };
    begin();
    document.addEventListener('visibilitychange', begin);
    return () => {
      stop.abort();
      document.removeEventListener('visibilitychange', begin);
    };
  }, [settings]);
  return of === settings ? live : NOTHING;
}

async function follow(signal: AbortSignal, tell: (changes: Partial<Live>) => void): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const overview of operatorEvents(signal)) tell({ line: 'open', overview });
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.kind === 'refused') return tell({ ...NOTHING, refusal: error });
    }
    if (signal.aborted) return;
    tell({ line: 'broken' });
    await pause(RETRY_MS);
  }
}
