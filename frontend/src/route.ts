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

/** Shows it at once: the browser itself would say only later that the address has changed. */
export function goTo(tab: Tab): void {
  history.pushState(null, '', `#${tab}`);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

function shownTab(): Tab {
  return TABS.find(({ name }) => name === location.hash.slice(1))?.name ?? 'avatar';
}

function watchAddress(watcher: () => void): () => void {
  addEventListener('hashchange', watcher);
  return () => removeEventListener('hashchange', watcher);
}
