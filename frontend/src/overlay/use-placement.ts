/** Where the person is now, and where it has been. */

import { useEffect, useEffectEvent, useMemo, useState } from 'react';
import { useDraft } from '../drafts';
import { initialPlacement, type Placement } from './geometry';
import type { Size } from './pillow';

export type Placing = Omit<ReturnType<typeof usePlacement>, 'place'>;

/** `place` is null until the person image's size is known; `moving` while a gesture lasts. */
export function usePlacement(person: Size | null, canvas: Size) {
  const [draft, change] = useDraft('overlay');
  const [{ steps, at }, setHistory] = useState({ steps: [draft.place], at: 0 });
  const [gesture, setGesture] = useState<Placement | null>(null);
  const initial = useMemo(() => person && initialPlacement(person, canvas), [person, canvas]);

  const go = (history: (Placement | null)[], to: number) => {
    setGesture(null);
    setHistory({ steps: history, at: to });
    change({ place: history[to] ?? null });
  };
  const add = (step: Placement | null) => go([...steps.slice(0, at + 1), step], at + 1);
  // Not while a gesture lasts: its end would be added to where undo has led.
  const onUndo = !gesture && at > 0 ? () => go(steps, at - 1) : undefined;
  const onRedo = !gesture && at < steps.length - 1 ? () => go(steps, at + 1) : undefined;

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (!(event.ctrlKey || event.metaKey) || event.target instanceof HTMLTextAreaElement) return;
    if (event.target instanceof Element && event.target.closest('[role=dialog]')) return;
    const step = { z: event.shiftKey ? onRedo : onUndo, y: onRedo }[event.key.toLowerCase()];
    if (step) event.preventDefault();
    step?.();
  });
  useEffect(() => {
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  return {
    place: gesture ?? draft.place ?? initial,
    moving: gesture !== null,
    onMove: setGesture,
    onPlace: add,
    onReset: () => add(null),
    onUndo,
    onRedo,
    /** Another person or canvas: from the beginning. */
    startOver: () => go([null], 0),
  };
}
