/** Placing a person: lengths in pixels of the output. */

import { expect, test } from 'vitest';
import * as geometry from '../../src/overlay/geometry.ts';

const PERSON = { width: 200, height: 400 };
const CANVAS = { width: 1000, height: 500 };

test('a person is first put on the bottom edge, in the middle', () => {
  expect(geometry.initialPlacement(PERSON, CANVAS)).toEqual({ x: 388, y: 50, scale: 1.125 });
});

test('scaling about a point keeps what is under it', () => {
  expect(geometry.scaledAbout({ x: 100, y: 100, scale: 1 }, 2, { x: 150, y: 200 })).toEqual({ x: 50, y: 0, scale: 2 });
});

test('scaling stays within what the service takes', () => {
  expect(geometry.scaledAbout({ x: 0, y: 0, scale: 1 }, 1000, { x: 0, y: 0 }).scale).toBe(20);
  expect(geometry.clampedScale(0)).toBeGreaterThan(0);
});

test.each([
  [
    { x: 6, y: 100 },
    { x: 0, y: 100 },
  ],
  [
    { x: 795, y: 100 },
    { x: 800, y: 100 },
  ],
  [
    { x: 404, y: 47 },
    { x: 400, y: 50 },
  ],
  [
    { x: 40, y: 40 },
    { x: 40, y: 40 },
  ],
])('snapping from %o to %o', (from, to) => {
  expect(geometry.snapped({ ...from, scale: 1 }, PERSON, CANVAS, 8)).toMatchObject(to);
});

test('a dragged corner leaves the opposite one where it is', () => {
  const place = { x: 100, y: 100, scale: 1 };
  const half = geometry.scaledFrom(place, 'nw', { x: 100, y: 100 }, { x: 200, y: 300 }, PERSON);
  expect(half).toEqual({ x: 200, y: 300, scale: 0.5 });
});

test.each([
  ['ArrowLeft', { x: -10, y: 0, scale: 1 }],
  ['ArrowDown', { x: 0, y: 10, scale: 1 }],
  ['+', { x: -1, y: -2, scale: 1.01 }],
  ['x', null],
])('the key %s leads to %o', (key, to) => {
  expect(geometry.nudged({ x: 0, y: 0, scale: 1 }, key, 10, PERSON)).toEqual(to);
});
