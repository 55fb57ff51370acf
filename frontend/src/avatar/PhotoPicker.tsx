import { Alert, Button, IconButton } from '@mui/material';
import { type DragEvent, useEffect, useEffectEvent, useState } from 'react';
import type { Photo } from '../drafts';
import { PictureInput } from '../form/PictureInput';
import { useAction } from '../form/useAction';
import { CloseIcon } from '../icons';
import { asPhoto, dataUri } from '../picture';
import sampleUrl from './sample.jpg';

interface Props {
  readonly photos: readonly Photo[];
  readonly max: number;
  readonly onChange: (photos: readonly Photo[]) => void;
  readonly onSample: (photo: Photo) => void;
  readonly error: string | undefined;
}

/** Photos by button, drop or paste. */
export function PhotoPicker({ photos, max, onChange, onSample, error }: Props) {
  const [over, setOver] = useState(false);
  const adding = useAction(async (files: File[]) => {
    onChange([...photos, ...(await Promise.all(files.slice(0, max - photos.length).map(asDraft)))]);
  });
  const sample = useAction(async () => onSample(await samplePhoto()));
  const problem = adding.error ?? error;

  const paste = useEffectEvent((event: ClipboardEvent) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) void adding.run(files);
  });
  useEffect(() => {
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
  const drag = (is: boolean) => (event: DragEvent) => {
    event.preventDefault();
    setOver(is);
    const files = [...event.dataTransfer.files];
    if (files.length > 0) void adding.run(files);
  };

  return (
    <div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the file input in it does the same for the keyboard */}
      <div
        className={over ? 'tiles pictures drop over' : 'tiles pictures drop'}
        onDragOver={drag(true)}
        onDragLeave={drag(false)}
        onDrop={drag(false)}>
        {photos.map((photo, index) => (
          <div key={photo.uri} className="tile">
            <img src={photo.uri} alt={photo.name} />
            <IconButton
              size="small"
              className="remove"
              aria-label={`Remove ${photo.name}`}
              onClick={() => onChange(photos.filter((_, other) => other !== index))}>
              <CloseIcon fontSize="inherit" />
            </IconButton>
          </div>
        ))}
        {photos.length < max && (
          <PictureInput
            id="photos"
            label="Photos"
            multiple
            invitation={photos.length === 0 ? 'Choose photos, or drop or paste them here' : undefined}
            onFiles={adding.run}
          />
        )}
      </div>
      {problem && <Alert severity="error">{problem}</Alert>}
      <div className="row">
        <span className="small muted grow">One clear face. Up to {max}.</span>
        <Button size="small" variant="outlined" loading={sample.busy} onClick={() => sample.run()}>
          Use sample photo
        </Button>
      </div>
    </div>
  );
}

async function asDraft(file: File): Promise<Photo> {
  return { name: file.name, uri: await dataUri(await asPhoto(file)) };
}

/** Eileen Collins; NASA, public domain. */
async function samplePhoto(): Promise<Photo> {
  return { name: 'the sample photo', uri: await dataUri(await (await fetch(sampleUrl)).blob()) };
}
