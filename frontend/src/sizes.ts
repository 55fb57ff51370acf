/** The shapes a picture can be asked in, named as the API names them. */

import type { components } from './api/schema';

export type AspectRatio = components['schemas']['AspectRatio'];
export type CanvasSize = components['schemas']['CanvasSize'];

export interface Shape {
  readonly label: string;
  readonly width: number;
  readonly height: number;
}

export const RATIOS: Readonly<Record<AspectRatio, Shape>> = {
  '1:1': { label: '1:1', width: 1, height: 1 },
  '4:3': { label: '4:3', width: 4, height: 3 },
  '3:4': { label: '3:4', width: 3, height: 4 },
  '16:9': { label: '16:9', width: 16, height: 9 },
  '9:16': { label: '9:16', width: 9, height: 16 },
};

/** In output pixels. */
export const CANVASES: Readonly<Record<CanvasSize, Shape>> = {
  landscape_16_9: { label: 'Landscape 16:9', width: 1024, height: 576 },
  landscape_4_3: { label: 'Landscape 4:3', width: 1024, height: 768 },
  square_hd: { label: 'Square HD', width: 1024, height: 1024 },
  square: { label: 'Square', width: 512, height: 512 },
  portrait_4_3: { label: 'Portrait 4:3', width: 768, height: 1024 },
  portrait_16_9: { label: 'Portrait 16:9', width: 576, height: 1024 },
};
