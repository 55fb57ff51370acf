/** Back from a task to the form that it was asked with: to ask for it anew, or to mend what made it fail. */

import { flushSync } from 'react-dom';
import { changeDraft } from './drafts';
import { goTo, useScreen } from './route';
import type { TaskRecord } from './tasks/record';

/** To the prompt, or to where a picture is chosen; on another screen, with all that the task was asked with. */
export async function mend(record: TaskRecord, action: 'edit' | 'replace'): Promise<void> {
  if (useScreen.getState() !== record.operation) takeUp(record);
  // There is no field for another photo while there are as many as there may be.
  const picture = first('input[type=file]') ?? first('.remove');
  ((action === 'replace' && picture) || first('#prompt'))?.focus();
}

/** To the prompt, with all that the task was asked with: what comes of it is a new task. */
export async function again(record: TaskRecord): Promise<void> {
  takeUp(record);
  first('#prompt')?.focus();
}

function first(selector: string): HTMLElement | null {
  return document.querySelector(selector);
}

/** Shows the form. A shape that was not named is the API's default. */
function takeUp(record: TaskRecord): void {
  const { prompt } = record.body;
  if (record.operation === 'avatar') {
    const photos = record.photos.map((photo) => new File([photo], 'as it was sent', { type: photo.type }));
    changeDraft('avatar', { prompt, shape: record.body.aspect_ratio ?? '1:1', photos });
  } else if (record.operation === 'background') {
    changeDraft('background', { prompt, shape: record.body.aspect_ratio ?? '1:1' });
  } else {
    const { body, sources } = record;
    const [shape, place] = [body.aspect_ratio ?? 'landscape_16_9', body.params.position];
    changeDraft('overlay', {
      prompt,
      shape,
      place,
      ...(sources && { person: sources.person, background: sources.background }),
    });
  }
  flushSync(() => goTo(record.operation));
}
