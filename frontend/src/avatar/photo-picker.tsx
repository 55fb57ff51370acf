import { Alert, IconButton } from '@mui/material';
import { ActionButton } from '../attempt';
import { useDraft } from '../drafts';
import { usePastedPictures } from '../form/paste';
import { PictureInput } from '../form/picture-input';
import { CloseIcon } from '../icons';
import { Picture } from '../picture';
import { addPhotos, keyOf } from './photos';
import sampleUrl from './sample.jpg';

interface Props {
  readonly max: number;
  readonly problem: string | undefined;
}

/** Photos by button, drop or paste. */
export function PhotoPicker({ max, problem }: Props) {
  const [{ photos }, change] = useDraft('avatar');
  usePastedPictures((files) => addPhotos(files, max));

  return (
    <div>
      <div className="tiles pictures">
        {photos.map((photo, index) => (
          <div key={keyOf(photo)} className="tile">
            <Picture of={photo} alt={`Photo ${index + 1}: ${photo.name}`} />
            <IconButton
              size="small"
              className="remove"
              aria-label={`Remove photo ${index + 1}: ${photo.name}`}
              onClick={() => change({ photos: photos.filter((other) => other !== photo) })}>
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
            onFiles={(files) => addPhotos(files, max)}
          />
        )}
      </div>
      {problem && <Alert severity="error">{problem}</Alert>}
      <div className="row">
        <span className="small muted grow">One clear face. Up to {max}.</span>
        <ActionButton size="small" variant="outlined" onClick={async () => change({ photos: [await samplePhoto()] })}>
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
