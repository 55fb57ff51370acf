import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import IconButton from '@mui/material/IconButton';
import Typography from '@mui/material/Typography';
import { visuallyHidden } from '@mui/utils';
import { type DragEvent, useEffect, useState } from 'react';
import type { Photo } from '../drafts';
import { AddIcon, CloseIcon } from '../icons';
import { asPhoto, dataUri, UnreadablePicture } from '../picture';
import sampleUrl from './sample.jpg';

interface Props {
  readonly photos: readonly Photo[];
  readonly max: number;
  readonly onChange: (photos: readonly Photo[]) => void;
  readonly onSample: (photo: Photo) => void;
  readonly error?: string | undefined;
}

/** Photos by button, drop or paste. */
export function PhotoPicker({ photos, max, onChange, onSample, error }: Props) {
  const [problem, setProblem] = useState<string | null>(null);
  const [dragging, setDragging] = useState(false);

  const add = async (files: Iterable<File>) => {
    const results = await Promise.allSettled([...files].slice(0, max - photos.length).map(asDraftPhoto));
    const unread = results.find((result) => result.status === 'rejected');
    setProblem(unread ? (unread.reason as UnreadablePicture).message : null);
    onChange([...photos, ...results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))]);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: `add` sees the photos of this very render
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) void add(files);
    };
    document.addEventListener('paste', onPaste);
    return () => document.removeEventListener('paste', onPaste);
  }, [photos]);

  const dropZone = {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      setDragging(true);
    },
    onDragLeave: () => setDragging(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setDragging(false);
      void add([...event.dataTransfer.files]);
    },
  };

  return (
    <Box>
      <Box {...dropZone} sx={{ ...GRID, borderColor: dragging ? 'primary.main' : 'divider' }}>
        {photos.map((photo, index) => (
          <Box key={photo.uri} sx={{ position: 'relative' }}>
            <Box component="img" src={photo.uri} alt={photo.name} sx={THUMBNAIL} />
            <IconButton
              size="small"
              aria-label={`Remove ${photo.name}`}
              onClick={() => onChange(photos.filter((_, other) => other !== index))}
              sx={REMOVE}
            >
              <CloseIcon sx={{ fontSize: 16 }} />
            </IconButton>
          </Box>
        ))}
        {photos.length < max && (
          <Box component="label" sx={{ ...ADD, gridColumn: photos.length === 0 ? '1 / -1' : 'auto' }}>
            <input
              id="photos"
              type="file"
              aria-label="Photos"
              accept="image/*"
              multiple
              style={visuallyHidden}
              onChange={(event) => {
                void add([...(event.target.files ?? [])]);
                event.target.value = '';
              }}
            />
            <AddIcon />
            {photos.length === 0 && (
              <Typography variant="body2" component="span">
                Choose photos, drop or paste them
              </Typography>
            )}
          </Box>
        )}
      </Box>
      {(problem ?? error) && (
        <Alert severity="error" variant="outlined" sx={{ mt: 1.5 }}>
          {problem ?? error}
        </Alert>
      )}
      <Box sx={{ display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: 1, mt: 1 }}>
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          One clear face. Up to {max}.
        </Typography>
        <Button size="small" onClick={async () => onSample(await samplePhoto())}>
          Use sample photo
        </Button>
      </Box>
    </Box>
  );
}

async function asDraftPhoto(file: File): Promise<Photo> {
  return { name: file.name, uri: await dataUri(await asPhoto(file)) };
}

/** Eileen Collins, NASA, 1999; public domain. */
async function samplePhoto(): Promise<Photo> {
  const response = await fetch(sampleUrl);
  return { name: 'sample photo of an astronaut', uri: await dataUri(await response.blob()) };
}

const GRID = {
  display: 'grid',
  gap: 1,
  gridTemplateColumns: 'repeat(auto-fill, minmax(88px, 1fr))',
  p: 1,
  border: '1.5px dashed',
  borderRadius: 3,
} as const;

const THUMBNAIL = { display: 'block', width: '100%', aspectRatio: '1', objectFit: 'cover', borderRadius: 2 } as const;

const REMOVE = {
  position: 'absolute',
  top: 4,
  right: 4,
  color: '#fff',
  bgcolor: 'rgb(0 0 0 / 0.6)',
  '&:hover': { bgcolor: 'rgb(0 0 0 / 0.8)' },
} as const;

const ADD = {
  position: 'relative',
  display: 'flex',
  flexDirection: 'column',
  alignItems: 'center',
  justifyContent: 'center',
  gap: 0.5,
  minHeight: 104,
  borderRadius: 2,
  color: 'text.secondary',
  cursor: 'pointer',
  '&:hover': { bgcolor: 'action.hover' },
  '&:has(:focus-visible)': { outline: '2px solid', outlineColor: 'primary.main' },
} as const;
