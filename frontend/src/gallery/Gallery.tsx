import { Button, ButtonBase, Dialog, DialogActions, DialogContent, DialogTitle } from '@mui/material';
import { useState } from 'react';
import { changeDraft, EMPTY } from '../drafts';
import { goTo } from '../route';
import { NAMES, type TaskRecord } from '../tasks/record';
import { tasks } from '../tasks/store';
import { DownloadButton, Facts } from '../tasks/TaskStage';
import { useTasks } from '../tasks/useTasks';
import { useObjectUrl } from '../useObjectUrl';
import { curlOf } from './curl';

/** Every picture that this browser has made. */
export function Gallery() {
  const pictures = useTasks().filter((record) => record.picture);
  const [openKey, setOpenKey] = useState<string | null>(null);
  const open = pictures.find((record) => record.key === openKey);
  return (
    <>
      <h1>Gallery</h1>
      <p className="muted">What you have made. It is kept in this browser only.</p>
      {pictures.length === 0 && (
        <div className="note muted">
          <p>Nothing here yet.</p>
          <Button variant="contained" onClick={() => goTo('avatar')}>
            Make the first avatar
          </Button>
        </div>
      )}
      <ul className="gallery">
        {pictures.map((record) => (
          <li key={record.key}>
            <Thumbnail record={record} onOpen={() => setOpenKey(record.key)} />
          </li>
        ))}
      </ul>
      <Dialog open={open !== undefined} onClose={() => setOpenKey(null)} maxWidth="md" aria-labelledby="opened">
        {open && <Details record={open} onClose={() => setOpenKey(null)} />}
      </Dialog>
    </>
  );
}

function Thumbnail({ record, onOpen }: { readonly record: TaskRecord; readonly onOpen: () => void }) {
  const url = useObjectUrl(record.picture);
  return (
    <ButtonBase className="open" onClick={onOpen}>
      <img src={url} alt="" className="checkered" />
      <div className="line small">{record.body.prompt}</div>
      <div className="small muted">
        {NAMES[record.operation]}, {new Date(record.createdAt).toLocaleDateString()}
      </div>
    </ButtonBase>
  );
}

function Details({ record, onClose }: { readonly record: TaskRecord; readonly onClose: () => void }) {
  const url = useObjectUrl(record.picture);
  return (
    <>
      <DialogTitle id="opened">{record.body.prompt}</DialogTitle>
      <DialogContent>
        <img src={url} alt="" className="picture checkered" />
        <Facts record={record} />
      </DialogContent>
      <DialogActions sx={{ flexWrap: 'wrap', gap: 1 }}>
        <Button color="error" onClick={() => tasks.delete(record.key)}>
          Delete
        </Button>
        <Button onClick={() => navigator.clipboard?.writeText(curlOf(record))}>Copy as cURL</Button>
        <Button onClick={() => restore(record)}>Use these settings</Button>
        <DownloadButton record={record} />
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </>
  );
}

/** Puts everything that the picture was made from back into its screen. */
function restore({ operation, body, sources }: TaskRecord): void {
  const { prompt } = body;
  if (operation === 'avatar') {
    const photos = body.source_images.map((uri, index) => ({ name: `photo ${index + 1}`, uri }));
    changeDraft('avatar', { prompt, ratio: body.aspect_ratio ?? EMPTY.avatar.ratio, photos });
  } else if (operation === 'background') {
    changeDraft('background', { prompt, ratio: body.aspect_ratio ?? EMPTY.background.ratio });
  } else {
    const { person = null, background = null } = sources ?? {};
    const canvas = body.aspect_ratio ?? EMPTY.compose.canvas;
    changeDraft('compose', { prompt, canvas, place: body.params.position, person, background });
  }
  goTo(operation === 'overlay' ? 'compose' : operation);
}
