/** What may go wrong, and is then said at the edge of the page until it has been read. */

import { Alert, Button, type ButtonProps, Snackbar } from '@mui/material';
import { useState } from 'react';
import { create } from 'zustand';
import { Explained } from './api/errors';

const useNotice = create<string | null>(() => null);

/** Runs `action`, and says why where it fails. */
export async function attempt(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    const foreseen = error instanceof Explained;
    useNotice.setState(foreseen ? error.message : 'Something broke in this page.');
    if (!foreseen) throw error;
  }
}

/** A button whose action takes a moment. */
export function ActionButton({ onClick, ...props }: ButtonProps & { readonly onClick: () => Promise<unknown> }) {
  const [busy, setBusy] = useState(false);
  const act = () => {
    setBusy(true);
    return attempt(onClick).finally(() => setBusy(false));
  };
  return <Button {...props} loading={busy} onClick={act} />;
}

export function Notice() {
  const notice = useNotice();
  const read = () => useNotice.setState(null);
  return (
    <Snackbar open={notice !== null} onClose={read} anchorOrigin={{ vertical: 'bottom', horizontal: 'right' }}>
      <Alert severity="error" variant="filled" onClose={read}>
        {notice}
      </Alert>
    </Snackbar>
  );
}
