/** Which screen is shown: in the address, so that reload and Back work. */

import { create } from 'zustand';

export const TABS = { avatar: 'Avatar', background: 'Background', overlay: 'Compose', gallery: 'Gallery' } as const;

export type Tab = keyof typeof TABS;

export const useTab = create<Tab>(addressed);

addEventListener('hashchange', () => useTab.setState(addressed()));

/** Shows it at once: the browser itself says only later that the address has changed. */
export function goTo(tab: Tab): void {
  location.hash = tab;
  useTab.setState(tab);
}

function addressed(): Tab {
  const name = location.hash.slice(1);
  return name in TABS ? (name as Tab) : 'avatar';
}
