/** What this server is, asked for until it answers. */

import { getService, type Service } from './api/client';
import { pause } from './pause';
import { useSettings } from './settings';
import { useLoaded } from './use-loaded';

const ASK_AGAIN_MS = 3000;

/** Of the place and key that are set now; null until it has answered. */
export function useService(): Service | null {
  const settings = useSettings();
  return useLoaded(answered, [settings]);
}

async function answered(): Promise<Service> {
  while (true) {
    try {
      return await getService();
    } catch {
      await pause(ASK_AGAIN_MS);
    }
  }
}
