/** Small copies of pictures: of a hundred full ones, the browser would decode hundreds of megabytes while it scrolls. */

import { type Remote, wrap } from 'comlink';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { useLoaded } from '../use-loaded';
import type { Thumbnails } from './thumbnail.worker';

/** How far from the screen a picture is made ready. */
const MARGIN = '600px';

const made = new WeakMap<Blob, Promise<Blob>>();
let started: Remote<Thumbnails> | undefined;

/** Of the picture, once the element that `ref` is given to has come near the screen; null until it is made. */
export function useThumbnail(picture: Blob | undefined): [ref: RefObject<HTMLSpanElement | null>, small: Blob | null] {
  const ref = useRef<HTMLSpanElement>(null);
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        setNear(true);
        observer.disconnect();
      },
      { rootMargin: MARGIN },
    );
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  const small = useLoaded(isNear && picture && (() => thumbnailOf(picture)), [isNear, picture]);
  return [ref, small];
}

/** Made once for each picture. */
function thumbnailOf(picture: Blob): Promise<Blob> {
  started ??= wrap<Thumbnails>(new Worker(new URL('./thumbnail.worker.ts', import.meta.url), { type: 'module' }));
  const known = made.get(picture) ?? started(picture);
  made.set(picture, known);
  return known;
}
