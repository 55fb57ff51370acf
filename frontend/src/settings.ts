/** Where the API is and what it wants to see: set at build time, and changed in the settings dialog. */

import { Observable } from './observable';

export interface Settings {
  /** The API's base URL, `/api/v1` included. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer KEY`; empty where the service needs none. */
  readonly apiKey: string;
}

const STORED_AS = 'aige.settings';

export const DEFAULTS: Settings = {
  baseUrl: import.meta.env.VITE_API_BASE_URL ?? '/api/v1',
  apiKey: import.meta.env.VITE_API_KEY ?? '',
};

export const settings = new Observable<Settings>({ ...DEFAULTS, ...stored() });

/** Keeps only what differs from the defaults, so that a new build's defaults reach old visitors. */
export function changeSettings(changes: Partial<Settings>): void {
  const changed = { ...settings.get(), ...changes };
  const own = Object.entries(changed).filter(([name, value]) => DEFAULTS[name as keyof Settings] !== value);
  localStorage.setItem(STORED_AS, JSON.stringify(Object.fromEntries(own)));
  settings.set(changed);
}

function stored(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(STORED_AS) ?? '{}');
  } catch {
    return {};
  }
}
