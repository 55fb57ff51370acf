/** The exact preview: made when the hand rests, in a worker. */

import { type Remote, wrap } from 'comlink';
import { pause } from '../pause';
import { useLoaded } from '../use-loaded';
import type { Composer } from './exact.worker';
import type { Placement } from './geometry';
import type { Size } from './pillow';

const RESTING_MS = 60;

let started: Remote<Composer> | undefined;

export function composer(): Remote<Composer> {
  started ??= wrap(new Worker(new URL('./exact.worker.ts', import.meta.url), { type: 'module' }));
  return started;
}

/** The person's size and the like; null until the worker has both pictures. */
export function useOpened(person: Blob | undefined, background: Blob | undefined) {
  return useLoaded(person && background && (() => composer().open(person, background)), [person, background]);
}

/** What the service would compose for this placement; null while it is being made, or nothing is `opened`. */
export function useExact(opened: object | null, canvas: Size, place: Placement | null, moving: boolean) {
  const make = async (at: Placement) => {
    await pause(RESTING_MS);
    return composer().compose(canvas, at);
  };
  return useLoaded(opened && place && !moving && (() => make(place)), [opened, canvas, place, moving]);
}

/** How many pixels differ between two pictures of one size; null until it is known. */
export function useDifference(one: Blob | undefined, other: Blob | undefined): number | null {
  return useLoaded(one && other && (() => composer().difference(one, other)), [one, other]);
}
