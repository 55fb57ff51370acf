/** Where the API is and what it wants to see: set at build time, and changed in the settings dialog. */

import { create } from 'zustand';
import { persist } from 'zustand/middleware';

export interface Settings {
  /** The API's base URL, `/api/v1` included. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer KEY`; empty where the service needs none. */
  readonly apiKey: string;
}

const DEFAULTS: Settings = {
  baseUrl: import.meta.env.VITE_API_BASE_URL ?? '/api/v1',
  apiKey: import.meta.env.VITE_API_KEY ?? '',
};

export const useSettings = create<Settings>()(persist(() => DEFAULTS, { name: 'aige.settings' }));
