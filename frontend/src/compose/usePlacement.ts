/** Where the person is now, and where it has been. */

import { type KeyboardEvent, useState } from 'react';
import { useDraft } from '../drafts';
import { initialPlacement, type Placement, same } from './geometry';
import { moved, redone, UNTOUCHED, undone } from './history';
import type { Size } from './pillow';

/** `place` is null until the person image's size is known; `moving` while a gesture lasts. */
export function usePlacement(person: Size | null, canvas: Size) {
  const [draft, change] = useDraft('compose');
  const [history, setHistory] = useState(UNTOUCHED);
  const [gesture, setGesture] = useState<Placement | null>(null);
  const settled = useStable(draft.place ?? (person && initialPlacement(person, canvas)));

  const go = (step: ReturnType<typeof undone>) => {
    setGesture(null);
    if (!step) return;
    setHistory(step[0]);
    change({ place: step[1] });
  };
  const undo = settled && undone(history, settled);
  const redo = settled && redone(history, settled);
  const onUndo = undo && (() => go(undo));
  const onRedo = redo && (() => go(redo));
  return {
    place: gesture ?? settled,
    moving: gesture !== null,
    onMove: setGesture,
    onPlace: (to: Placement) => go(settled && moved(history, settled, to)),
    onUndo,
    onRedo,
    onKeyDown: (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.target instanceof HTMLTextAreaElement) return;
      const key = event.key.toLowerCase();
      if (key !== 'z' && key !== 'y') return;
      event.preventDefault();
      (key === 'z' && !event.shiftKey ? onUndo : onRedo)?.();
    },
    /** Another person or canvas: from the beginning. */
    forget: () => setHistory(UNTOUCHED),
  };
}

/** The same object for as long as it says the same: a new one would be composed anew. */
function useStable(place: Placement | null): Placement | null {
  const [kept, setKept] = useState(place);
  if (same(kept, place)) return kept;
  setKept(place);
  return place;
}
