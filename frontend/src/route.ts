/** Which screen is shown: in the address, so that reload and Back work. */

import { create } from 'zustand';

export const TABS = {
  avatar: 'Avatar',
  background: 'Background',
  overlay: 'Compose',
  gallery: 'Gallery',
  verify: 'Verify',
} as const;

export type Tab = keyof typeof TABS;

/** Those without a tab are reached by their address, `#/operator`, or by a link in the footer. */
export type Screen = Tab | 'operator';

export const useScreen = create<Screen>(addressed);

addEventListener('hashchange', () => useScreen.setState(addressed()));

/** Shows it at once: the browser itself says only later that the address has changed. */
export function goTo(screen: Screen): void {
  location.hash = screen === 'operator' ? '/operator' : screen;
  useScreen.setState(screen);
  scrollTo(0, 0);
}

function addressed(): Screen {
  const name = location.hash.replace(/^#\/?/, '');
  return Object.hasOwn(TABS, name) || name === 'operator' ? (name as Screen) : 'avatar';
}
