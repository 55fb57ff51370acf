/** Which screen is shown: in the address, so that reload and Back work. */

import { useSyncExternalStore } from 'react';

export const TABS = [
  { name: 'avatar', label: 'Avatar' },
  { name: 'background', label: 'Background' },
  { name: 'compose', label: 'Compose' },
  { name: 'gallery', label: 'Gallery' },
] as const;

export type Tab = (typeof TABS)[number]['name'];

export function useTab(): Tab {
  return useSyncExternalStore(watchAddress, shownTab);
}

export function goTo(tab: Tab): void {
  location.hash = tab;
}

function shownTab(): Tab {
  return TABS.find(({ name }) => name === location.hash.slice(1))?.name ?? 'avatar';
}

function watchAddress(watcher: () => void): () => void {
  addEventListener('hashchange', watcher);
  return () => removeEventListener('hashchange', watcher);
}
