/** Where a person stands on a canvas. All lengths are pixels of the output. */

import { type Box, cover, flattened, type Pixels, paste, resize, type Size } from './pillow';

/** The top-left corner of the person image, and what its own size is multiplied by. */
export interface Placement {
  readonly x: number;
  readonly y: number;
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

/** The canvas with the background only: what every placement starts from. */
export function backdrop(background: Pixels, canvas: Size): Pixels {
  return flattened(cover(background, canvas));
}

/** `under` with the person on it, exactly as the service composes it. Only what shows is made. */
export function composed(under: Pixels, person: Pixels, { x, y, scale }: Placement): Pixels {
  const canvas = { ...under, data: under.data.slice() };
  const size = footprint(person, scale);
  const [left, top] = [Math.floor(x + 0.5), Math.floor(y + 0.5)];
  const window: Box = {
    left: Math.max(0, -left),
    top: Math.max(0, -top),
    right: Math.min(size.width, canvas.width - left),
    bottom: Math.min(size.height, canvas.height - top),
  };
  if (window.left >= window.right || window.top >= window.bottom) return canvas;
  paste(canvas, resize(person, size, undefined, window), left + window.left, top + window.top);
  return canvas;
}

/** Whether nothing of the person shows. */
export function isOffCanvas({ x, y, scale }: Placement, person: Size, canvas: Size): boolean {
  const { width, height } = footprint(person, scale);
  return x <= -width || y <= -height || x >= canvas.width || y >= canvas.height;
}

export function clampedScale(scale: number): number {
  return Math.round(Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale)) * 10_000) / 10_000;
}

/** As large as the canvas takes whole, in its middle. */
export function fitted(person: Size, canvas: Size): Placement {
  const scale = clampedScale(Math.min(canvas.width / person.width, canvas.height / person.height));
  return centred({ x: 0, y: 0, scale }, person, canvas);
}

export function centred({ scale }: Placement, person: Size, canvas: Size): Placement {
  const { width, height } = footprint(person, scale);
  return { x: Math.round((canvas.width - width) / 2), y: Math.round((canvas.height - height) / 2), scale };
}

/** On the bottom edge, where a person cut off at the chest belongs. */
export function standing({ x, scale }: Placement, person: Size, canvas: Size): Placement {
  return { x, y: canvas.height - footprint(person, scale).height, scale };
}

/** Where a person is put first: nine tenths of the canvas's height or width, in the middle of its bottom edge. */
export function initialPlacement(person: Size, canvas: Size): Placement {
  const scale = clampedScale(fitted(person, canvas).scale * 0.9);
  return standing(centred({ x: 0, y: 0, scale }, person, canvas), person, canvas);
}

/** Scaled so that the point of the canvas under (`atX`, `atY`) keeps the same part of the person. */
export function scaledAbout(place: Placement, scale: number, atX: number, atY: number): Placement {
  const to = clampedScale(scale);
  const grown = to / place.scale;
  return { x: Math.round(atX - (atX - place.x) * grown), y: Math.round(atY - (atY - place.y) * grown), scale: to };
}

/** Scaled about its own middle. */
export function scaledInPlace(place: Placement, scale: number, person: Size): Placement {
  const { width, height } = footprint(person, place.scale);
  return scaledAbout(place, scale, place.x + width / 2, place.y + height / 2);
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

/** How many pixels of two pictures of the same size differ. */
export function differingPixels(one: Pixels, other: Pixels): number {
  const [a, b] = [new Uint32Array(one.data.buffer), new Uint32Array(other.data.buffer)];
  return a.reduce((total, pixel, i) => total + (pixel === b[i] ? 0 : 1), 0);
}

export function same(one: Placement | null, other: Placement | null): boolean {
  return one?.x === other?.x && one?.y === other?.y && one?.scale === other?.scale;
}
