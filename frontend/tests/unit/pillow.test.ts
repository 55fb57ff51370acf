/** The preview's arithmetic against the service's own pixels. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { composed } from '../../src/overlay/geometry.ts';
import { CANVASES, type CanvasSize } from '../../src/sizes.ts';
import { CASES, noise, rgb } from '../fixture.ts';

test.each(CASES)('no pixel differs from Pillow: $name', (fixed) => {
  const canvas = CANVASES[fixed.canvas as CanvasSize];
  const background = noise(fixed.background, fixed.background_mode, 1);
  const made = composed(background, noise(fixed.person, fixed.person_mode, 2), canvas, fixed);
  expect(createHash('sha256').update(rgb(made)).digest('hex')).toBe(fixed.sha256);
});
