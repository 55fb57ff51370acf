import { Button } from '@mui/material';
import { ImageIcon } from './icons';
import { goTo } from './route';

/** Where nothing is yet: what will be, and how to begin where that is elsewhere. */
export function Empty({ text, start }: { readonly text: string; readonly start?: string }) {
  return (
    <div className="note muted">
      <ImageIcon fontSize="large" />
      <p>{text}</p>
      {start && (
        <Button variant="contained" onClick={() => goTo('avatar')}>
          {start}
        </Button>
      )}
    </div>
  );
}
