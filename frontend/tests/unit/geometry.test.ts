/** Placing a person: lengths in pixels of the output. */

import { expect, test } from 'vitest';
import * as geometry from '../../src/compose/geometry.ts';
import { moved, redone, UNTOUCHED, undone } from '../../src/compose/history.ts';

const PERSON = { width: 200, height: 400 };
const CANVAS = { width: 1000, height: 500 };

test('fit is as large as the canvas takes whole', () => {
  expect(geometry.fitted(PERSON, CANVAS)).toEqual({ x: 375, y: 0, scale: 1.25 });
});

test('standing touches the bottom edge', () => {
  expect(geometry.standing({ x: 7, y: 0, scale: 0.5 }, PERSON, CANVAS)).toEqual({ x: 7, y: 300, scale: 0.5 });
});

test('a person is first put on the bottom edge, in the middle', () => {
  expect(geometry.initialPlacement(PERSON, CANVAS)).toEqual({ x: 388, y: 50, scale: 1.125 });
});

test('scaling about a point keeps what is under it', () => {
  expect(geometry.scaledAbout({ x: 100, y: 100, scale: 1 }, 2, 150, 200)).toEqual({ x: 50, y: 0, scale: 2 });
});

test('scaling stays within what the service takes', () => {
  expect(geometry.scaledAbout({ x: 0, y: 0, scale: 1 }, 1000, 0, 0).scale).toBe(20);
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

test.each([
  [{ x: -200, y: 0 }, true],
  [{ x: -199, y: 0 }, false],
  [{ x: 999, y: 499 }, false],
  [{ x: 0, y: 500 }, true],
])('whether nothing shows at %o: %s', (at, off) => {
  expect(geometry.isOffCanvas({ ...at, scale: 1 }, PERSON, CANVAS)).toBe(off);
});

test('undo and redo walk the same steps; a new one forgets what was undone', () => {
  const [a, b, c] = [1, 2, 3].map((x) => ({ x, y: 0, scale: 1 })) as [
    geometry.Placement,
    geometry.Placement,
    geometry.Placement,
  ];
  const [first] = moved(UNTOUCHED, a, b);
  const [back, at] = undone(first, b) ?? [];
  expect(at).toEqual(a);
  expect(redone(back ?? UNTOUCHED, a)?.[1]).toEqual(b);
  const [other] = moved(back ?? UNTOUCHED, a, c);
  expect(redone(other, c)).toBeNull();
  expect(undone(UNTOUCHED, a)).toBeNull();
  expect(moved(UNTOUCHED, a, { ...a })[0]).toEqual(UNTOUCHED);
});
