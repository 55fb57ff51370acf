/** Where a person stands on a canvas. All lengths are pixels of the output. */

import { type Box, blank, cover, type Pixels, paste, resize, type Size } from './pillow';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The top-left corner of the person image, and what its own size is multiplied by. */
export interface Placement extends Point {
  readonly scale: number;
}

export const MAX_SCALE = 20;
export const MIN_SCALE = 0.001;

/** The person image's size on the canvas. */
export function footprint(person: Size, scale: number): Size {
  return {
    width: Math.max(1, Math.floor(person.width * scale + 0.5)),
    height: Math.max(1, Math.floor(person.height * scale + 0.5)),
  };
}

/** The background and the person on it, exactly as the service composes them. Of the person, only what shows is made. */
export function composed(background: Pixels, person: Pixels, canvas: Size, { x, y, scale }: Placement): Pixels {
  const picture = blank(canvas);
  picture.data.fill(255);
  paste(picture, cover(background, canvas), 0, 0);
  const size = footprint(person, scale);
  const [left, top] = [Math.floor(x + 0.5), Math.floor(y + 0.5)];
  const window: Box = {
    left: Math.max(0, -left),
    top: Math.max(0, -top),
    right: Math.min(size.width, canvas.width - left),
    bottom: Math.min(size.height, canvas.height - top),
  };
  const shows = window.left < window.right && window.top < window.bottom;
  if (shows) paste(picture, resize(person, size, undefined, window), left + window.left, top + window.top);
  return picture;
}

export function clampedScale(scale: number): number {
  return Math.round(Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale)) * 10_000) / 10_000;
}

/**
 * Where a person is put first: nine tenths of the canvas's height or width, in the middle of its bottom edge, where a
 * person cut off at the chest belongs.
 */
export function initialPlacement(person: Size, canvas: Size): Placement {
  const scale = clampedScale(0.9 * Math.min(canvas.width / person.width, canvas.height / person.height));
  const { width, height } = footprint(person, scale);
  return { x: Math.round((canvas.width - width) / 2), y: canvas.height - height, scale };
}

/** Scaled so that the point of the canvas keeps the same part of the person. */
export function scaledAbout({ x, y, scale }: Placement, to: number, { x: atX, y: atY }: Point): Placement {
  const clamped = clampedScale(to);
  const grown = clamped / scale;
  return { x: Math.round(atX - (atX - x) * grown), y: Math.round(atY - (atY - y) * grown), scale: clamped };
}

/** Scaled by its `corner` ("nw", …), which has been dragged from `start` to `end`; the opposite one stays. */
export function scaledFrom(place: Placement, corner: string, start: Point, end: Point, person: Size): Placement {
  const { width, height } = footprint(person, place.scale);
  const fixed = {
    x: corner.includes('w') ? place.x + width : place.x,
    y: corner.includes('n') ? place.y + height : place.y,
  };
  const reach = ({ x, y }: Point) => Math.max(1, Math.hypot(x - fixed.x, y - fixed.y));
  return scaledAbout(place, place.scale * (reach(end) / reach(start)), fixed);
}

/** How far the arrow keys move. */
const ARROWS: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Moved or scaled a little by a key of the keyboard; null where the key means nothing. */
export function nudged(place: Placement, key: string, step: number, person: Size): Placement | null {
  const [x, y] = ARROWS[key] ?? [0, 0];
  if (x || y) return { ...place, x: place.x + x * step, y: place.y + y * step };
  const factor = { '+': 1.01, '=': 1.01, '-': 1 / 1.01 }[key];
  const { width, height } = footprint(person, place.scale);
  const middle = { x: place.x + width / 2, y: place.y + height / 2 };
  return factor ? scaledAbout(place, place.scale * factor, middle) : null;
}

/** Moved to the canvas's edges or middle where it comes within `reach` of them. */
export function snapped(place: Placement, person: Size, canvas: Size, reach: number): Placement {
  const { width, height } = footprint(person, place.scale);
  return { ...place, x: snap(place.x, canvas.width - width, reach), y: snap(place.y, canvas.height - height, reach) };
}

function snap(at: number, room: number, reach: number): number {
  const nearest = [0, Math.round(room / 2), room].sort((a, b) => Math.abs(a - at) - Math.abs(b - at))[0] as number;
  return Math.abs(nearest - at) <= reach ? nearest : at;
}
