/** Tasks that have been removed from this browser's gallery while the service still lists them. */

import { create } from 'zustand';
import { persist } from 'zustand/middleware';

/** The service forgets tasks after a day by default; nobody removes so many in that time. */
const KEPT = 1000;

interface Hidden {
  readonly ids: readonly string[];
}

export const useHidden = create<Hidden>()(persist((): Hidden => ({ ids: [] }), { name: 'aige.hidden' }));

export function hide(taskId: string): void {
  useHidden.setState(({ ids }) => ({ ids: [taskId, ...ids].slice(0, KEPT) }));
}
