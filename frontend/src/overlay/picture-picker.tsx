/** The pictures that can be placed: those that tasks have made, one's own, and a plain background. */

import { useRef } from 'react';
import type { Operation } from '../api/client';
import { Choice } from '../form/choice';
import { PictureInput } from '../form/picture-input';
import { Picture } from '../picture';
import { asPicture } from '../picture-file';
import type { TaskRecord } from '../tasks/record';
import { useTasks } from '../tasks/store';
import { useLoaded } from '../use-loaded';

export interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly picture: Blob;
  /** The task that has made it. */
  readonly record?: TaskRecord;
}

const SHOWN = 7;
const SIDE = 1024;

/** Those to choose from, and the chosen one: by default the newest, else the one that is there anyway. */
export function useCandidates(operation: Operation, choice: string | Blob | null) {
  const made = useTasks().filter((record) => record.operation === operation);
  const plain = useLoaded(studio, []);
  const candidates: Candidate[] = made.flatMap((record) =>
    record.picture ? { id: record.key, name: record.body.prompt, picture: record.picture, record } : [],
  );
  const [older] = candidates.splice(SHOWN).filter(({ id }) => id === choice);
  if (older) candidates.splice(-1, 1, older);
  if (plain && operation === 'background') candidates.push({ id: 'plain', name: 'Plain studio', picture: plain });
  if (choice instanceof Blob) candidates.push({ id: 'own', name: 'Your own', picture: choice });
  return {
    candidates,
    chosen: candidates.find(({ id, picture }) => id === choice || picture === choice) ?? candidates[0],
  };
}

interface Props extends ReturnType<typeof useCandidates> {
  readonly label: string;
  readonly onChoose: (choice: string | Blob) => void;
}

export function PicturePicker({ label, candidates, chosen, onChoose }: Props) {
  const last = useRef<string | File>(null);
  /** What is chosen last wins, however long a picture before it takes to be read. */
  const choose = async (choice: string | File) => {
    last.current = choice;
    const ready = typeof choice === 'string' ? choice : await asPicture(choice);
    if (last.current === choice) onChoose(ready);
  };
  const options = candidates.map(({ id, name, picture }) => {
    return { value: id, name, look: <Picture of={picture} className="checkered" /> };
  });
  return (
    <Choice label={label} options={options} value={chosen?.id ?? ''} onChange={choose} className="pictures">
      <PictureInput
        label={`Your own ${label.toLowerCase()}`}
        onFiles={async ([file]) => file && (await choose(file))}
      />
    </Choice>
  );
}

/** Something to stand before, while there is no background yet. */
async function studio(): Promise<Blob> {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  const light = context.createRadialGradient(SIDE / 2, SIDE * 0.42, 0, SIDE / 2, SIDE / 2, SIDE * 0.75);
  light.addColorStop(0, '#eef1ee');
  light.addColorStop(1, '#8a9c97');
  context.fillStyle = light;
  context.fillRect(0, 0, SIDE, SIDE);
  return canvas.convertToBlob({ type: 'image/png' });
}
