/** What this server is, asked for until it answers. */

import { useEffect, useState } from 'react';
import { getService, type Service } from './api/client';
import { useObservable } from './observable';
import { settings } from './settings';

const ASK_AGAIN_MS = 3000;

export function useService(): Service | null {
  const { baseUrl, apiKey } = useObservable(settings);
  const [service, setService] = useState<Service | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place, or another key, is another service
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let left = false;
    const ask = async () => {
      try {
        const answer = await getService();
        if (!left) setService(answer);
      } catch {
        if (!left) timer = setTimeout(ask, ASK_AGAIN_MS);
      }
    };
    void ask();
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [baseUrl, apiKey]);
  return service;
}
