/** The exact preview: made when the hand rests, in a worker. */

import { useLoaded } from '../useLoaded';
import type { Answers, Order } from './exact.worker';
import type { Placement } from './geometry';
import type { Size } from './pillow';

const RESTING_MS = 60;

let worker: Worker | undefined;

function ask<K extends Order['kind']>(order: Order & { readonly kind: K }): Promise<Answers[K] | null> {
  worker ??= new Worker(new URL('./exact.worker.ts', import.meta.url), { type: 'module' });
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<Answers[K] | null>) => resolve(data);
    worker?.postMessage(order, [port2]);
  });
}

/** What is to know of the two pictures; null until the worker has them. */
export function useSources(person: Blob | null, background: Blob | null) {
  return useLoaded(person && background && (() => ask({ kind: 'sources', person, background })), [person, background]);
}

/** What the service would compose for this placement; null while it is being made, or `sources` are not there. */
export function useExact(
  sources: object | null,
  canvas: Size,
  place: Placement | null,
  moving: boolean,
): ImageData | null {
  const made = async (at: Placement) => {
    await new Promise((resolve) => setTimeout(resolve, RESTING_MS));
    return composedExactly(canvas, at);
  };
  return useLoaded(sources && place && !moving ? () => made(place) : null, [sources, canvas, place, moving]);
}

/** How many pixels differ between two pictures of one size; null until it is known. */
export function useDifference(one: Blob | null, other: Blob | null): number | null {
  return useLoaded(one && other && (() => ask({ kind: 'compare', one, other })), [one, other]);
}

/** Of the two pictures that the worker was given last; null where it cannot. */
export function composedExactly(canvas: Size, place: Placement): Promise<ImageData | null> {
  return ask({ kind: 'compose', canvas, place });
}

export async function pngOf(image: ImageData): Promise<Blob> {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}
