/** Back from a task that has failed to the field that mends it. */

import { flushSync } from 'react-dom';
import { changeDraft } from './drafts';
import { goTo, useTab } from './route';
import type { TaskRecord } from './tasks/record';

/** To the prompt, or to where a picture is chosen; on another screen, with all that the task was asked with. */
export async function mend(record: TaskRecord, action: 'edit' | 'replace'): Promise<void> {
  if (useTab.getState() !== record.operation) {
    await takeUp(record);
    flushSync(() => goTo(record.operation));
  }
  const first = (selector: string) => document.querySelector<HTMLElement>(selector);
  // There is no field for another photo while there are as many as there may be.
  const picture = first('input[type=file]') ?? first('.remove');
  ((action === 'replace' && picture) || first('#prompt'))?.focus();
}

/** A shape that was not named is the API's default. */
async function takeUp({ operation, body, sources }: TaskRecord): Promise<void> {
  const { prompt } = body;
  if (operation === 'avatar') {
    const photos = await Promise.all(body.source_images.map(photoOf));
    changeDraft('avatar', { prompt, shape: body.aspect_ratio ?? '1:1', photos });
  } else if (operation === 'background') {
    changeDraft('background', { prompt, shape: body.aspect_ratio ?? '1:1' });
  } else {
    const [shape, place] = [body.aspect_ratio ?? 'landscape_16_9', body.params.position];
    changeDraft('overlay', {
      prompt,
      shape,
      place,
      ...(sources && { person: sources.person, background: sources.background }),
    });
  }
}

async function photoOf(uri: string): Promise<File> {
  const photo = await (await fetch(uri)).blob();
  return new File([photo], 'as it was sent', { type: photo.type });
}
