/** The pictures that can be placed, and where the service reads them. */

import { presign, upload } from '../api/client';
import type { TaskRecord } from '../tasks/record';
import { useLoaded } from '../useLoaded';

export interface Source {
  readonly id: string;
  readonly name: string;
  readonly picture: Blob;
  /** Null for a picture that no task has made. */
  readonly record: TaskRecord | null;
}

type Pictured = TaskRecord & { readonly picture: Blob };

const SHOWN = 7;
const SIDE = 1024;

/** Those to choose from, and the chosen one: by default the newest, else the one that is there anyway. */
export function sourcesOf(
  choice: string | Blob | null,
  records: readonly Pictured[],
  plain: Blob | null,
): [readonly Source[], Source | null] {
  const made = records.map((record) => ({ id: record.key, name: record.body.prompt, picture: record.picture, record }));
  const own =
    choice instanceof Blob && choice !== plain ? { id: 'own', name: 'Your own', picture: choice, record: null } : null;
  const studio = plain && { id: 'plain', name: 'Plain studio', picture: plain, record: null };
  const all = [...made.slice(0, SHOWN), studio, own].filter((source) => source !== null);
  const chosen = choice instanceof Blob ? (own ?? studio) : (made.find(({ id }) => id === choice) ?? made[0] ?? studio);
  return [all, chosen];
}

/** Links expire: a fresh one each time. */
export async function urlOf({ picture, record }: Source): Promise<string> {
  return record ? (await presign(record.objectKey)).readUrl : upload(picture);
}

/** A plain backdrop: something to stand before, while there is no background yet. */
export function useStudio(): Blob | null {
  return useLoaded(studio, []);
}

async function studio(): Promise<Blob> {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  const light = context.createRadialGradient(SIDE / 2, SIDE * 0.42, 0, SIDE / 2, SIDE / 2, SIDE * 0.75);
  light.addColorStop(0, '#eef1ee');
  light.addColorStop(0.55, '#bccac5');
  light.addColorStop(1, '#6f8580');
  context.fillStyle = light;
  context.fillRect(0, 0, SIDE, SIDE);
  return canvas.convertToBlob({ type: 'image/png' });
}
