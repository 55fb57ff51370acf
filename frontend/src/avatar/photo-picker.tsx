import { Alert, IconButton } from '@mui/material';
import { useEffect, useEffectEvent } from 'react';
import { ActionButton, attempt } from '../attempt';
import { PictureInput } from '../form/picture-input';
import { CloseIcon } from '../icons';
import { Picture } from '../picture';
import { asPhoto } from '../picture-file';
import sampleUrl from './sample.jpg';

interface Props {
  readonly photos: readonly File[];
  readonly max: number;
  readonly onChange: (photos: readonly File[]) => void;
  readonly problem: string | undefined;
}

/** Photos by button, drop or paste. */
export function PhotoPicker({ photos, max, onChange, problem }: Props) {
  const add = async (files: readonly File[]) =>
    onChange([...photos, ...(await Promise.all(files.slice(0, max - photos.length).map(asPhoto)))]);
  const paste = useEffectEvent(({ clipboardData }: ClipboardEvent) => {
    const files = [...(clipboardData?.files ?? [])];
    if (files.length > 0) void attempt(() => add(files));
  });
  useEffect(() => {
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);

  return (
    <div>
      <div className="tiles pictures">
        {photos.map((photo) => (
          <div key={`${photo.name} ${photo.lastModified}`} className="tile">
            <Picture of={photo} alt={photo.name} />
            <IconButton
              size="small"
              className="remove"
              aria-label={`Remove ${photo.name}`}
              onClick={() => onChange(photos.filter((other) => other !== photo))}>
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
            onFiles={add}
          />
        )}
      </div>
      {problem && <Alert severity="error">{problem}</Alert>}
      <div className="row">
        <span className="small muted grow">One clear face. Up to {max}.</span>
        <ActionButton size="small" variant="outlined" onClick={async () => onChange([await samplePhoto()])}>
          Use sample photo
        </ActionButton>
      </div>
    </div>
  );
}

/** Eileen Collins; NASA, public domain. */
async function samplePhoto(): Promise<File> {
  const jpeg = await (await fetch(sampleUrl)).blob();
  return new File([jpeg], 'the sample photo', { type: jpeg.type });
}
