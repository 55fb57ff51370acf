/** What this server is, asked for until it answers. */

import { getService, type Service } from './api/client';
import { useObservable } from './observable';
import { settings } from './settings';
import { useLoaded } from './useLoaded';

const ASK_AGAIN_MS = 3000;

/** Of the place and key that are set now; null until it has answered. */
export function useService(): Service | null {
  const current = useObservable(settings);
  return useLoaded(() => answered(current), [current]);
}

async function answered(asked: object): Promise<Service | null> {
  while (settings.get() === asked) {
    try {
      return await getService();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }
  return null;
}
