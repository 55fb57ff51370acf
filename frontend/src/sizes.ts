/** The shapes a picture can be asked in. */

import type { components } from './api/schema';

export type AspectRatio = components['schemas']['AspectRatio'];
export type CanvasSize = components['schemas']['CanvasSize'];

export const RATIOS = (['1:1', '4:3', '3:4', '16:9', '9:16'] satisfies AspectRatio[]).map((ratio) => {
  const [width, height] = ratio.split(':').map(Number) as [number, number];
  return { value: ratio, label: ratio, ratio: width / height };
});

/** The presets, named as the API names them, with their output pixels. */
export const CANVASES: Readonly<Record<CanvasSize, { label: string; width: number; height: number }>> = {
  landscape_16_9: { label: 'Landscape 16:9', width: 1024, height: 576 },
  landscape_4_3: { label: 'Landscape 4:3', width: 1024, height: 768 },
  square_hd: { label: 'Square HD', width: 1024, height: 1024 },
  square: { label: 'Square', width: 512, height: 512 },
  portrait_4_3: { label: 'Portrait 4:3', width: 768, height: 1024 },
  portrait_16_9: { label: 'Portrait 16:9', width: 576, height: 1024 },
};
