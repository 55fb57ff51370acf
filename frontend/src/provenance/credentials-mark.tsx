import { Dialog, DialogContent, DialogTitle, IconButton } from '@mui/material';
import { useId, useState } from 'react';
import { CloseIcon, SealIcon } from '../icons';
import { CredentialsOf } from './credentials';

interface Props {
  readonly of: () => Promise<Blob>;
  /** Which picture's. */
  readonly name: string;
  readonly className?: string;
}

const LABEL = 'Content credentials';

/** The mark on a picture that opens what its content credentials say. */
export function CredentialsMark({ of: picture, name, className = '' }: Props) {
  const [open, setOpen] = useState(false);
  const title = useId();
  const close = () => setOpen(false);
  return (
    <>
      <button
        type="button"
        className={`icon ${className}`}
        title={LABEL}
        aria-label={`${LABEL}: ${name}`}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}>
        <SealIcon />
      </button>
      {open && (
        <Dialog open onClose={close} fullWidth maxWidth="xs" aria-labelledby={title}>
          <DialogTitle id={title} className="dialog-title">
            {LABEL}
            <IconButton aria-label="Close" edge="end" onClick={close}>
              <CloseIcon />
            </IconButton>
          </DialogTitle>
          <DialogContent>
            <CredentialsOf of={picture} />
          </DialogContent>
        </Dialog>
      )}
    </>
  );
}
