/** The shapes of the studio are those of the service. */

import { expect, test } from 'vitest';
import sizes from '../../../tests/data/sizes.json';
import openapi from '../../openapi.json';
import { CANVASES, RATIOS } from '../../src/sizes.ts';

test('every shape that the API knows can be chosen, and no other', () => {
  expect(Object.keys(RATIOS).sort()).toEqual(openapi.components.schemas.AspectRatio.enum.toSorted());
  expect(Object.keys(CANVASES).sort()).toEqual(openapi.components.schemas.CanvasSize.enum.toSorted());
});

test('a canvas has the pixels that the service makes', () => {
  const pixels = Object.entries(CANVASES).map(([name, { width, height }]) => [name, [width, height]]);
  expect(Object.fromEntries(pixels)).toEqual(sizes);
});
