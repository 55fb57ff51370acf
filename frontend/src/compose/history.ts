/** Undo and redo: one step for each gesture. */

import { type Placement, same } from './geometry';

export interface History {
  readonly past: readonly Placement[];
  readonly future: readonly Placement[];
}

/** A history, and the placement that it has led to. */
type Step = readonly [History, Placement];

const KEPT = 100;

export const UNTOUCHED: History = { past: [], future: [] };

export function moved({ past, future }: History, from: Placement, to: Placement): Step {
  return same(from, to) ? [{ past, future }, to] : [{ past: [...past, from].slice(-KEPT), future: [] }, to];
}

/** Null where there is nothing to undo. */
export function undone({ past, future }: History, from: Placement): Step | null {
  const to = past.at(-1);
  return to ? [{ past: past.slice(0, -1), future: [from, ...future] }, to] : null;
}

/** Null where there is nothing to redo. */
export function redone({ past, future }: History, from: Placement): Step | null {
  const [to, ...later] = future;
  return to ? [{ past: [...past, from], future: later }, to] : null;
}
