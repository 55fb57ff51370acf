import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { ApiError } from '../api/errors';

interface Props {
  readonly label: string;
  /** Why it cannot be pressed yet; empty where it can. */
  readonly missing: readonly string[];
  /** Resolves when the request has been written down; the rest happens without this button. */
  readonly onSubmit: () => Promise<unknown>;
}

export function SubmitButton({ label, missing, onSubmit }: Props) {
  const { busy, error, run } = useAction(onSubmit);
  return (
    <Box sx={STICKY}>
      {error && (
        <Alert severity="error" variant="outlined" sx={{ mb: 1.5 }}>
          {error}
        </Alert>
      )}
      <Button
        fullWidth
        size="large"
        variant="contained"
        loading={busy}
        disabled={missing.length > 0}
        aria-describedby="missing"
        onClick={run}
      >
        {label}
      </Button>
      <Typography id="missing" variant="caption" component="p" sx={{ color: 'text.secondary', mt: 1, minHeight: '1.45em' }}>
        {missing.length > 0 && `First ${missing.join(' and ')}.`}
      </Typography>
    </Box>
  );
}

/** Something that the service is asked for: whether it is under way, and what went wrong last time. */
export function useAction(action: () => Promise<unknown>): { busy: boolean; error: string | null; run: () => void } {
  const [state, setState] = useState<{ busy: boolean; error: string | null }>({ busy: false, error: null });
  const run = async () => {
    setState({ busy: true, error: null });
    try {
      await action();
      setState({ busy: false, error: null });
    } catch (error) {
      setState({ busy: false, error: error instanceof ApiError ? error.message : 'Something broke in this page.' });
      if (!(error instanceof ApiError)) throw error;
    }
  };
  return { ...state, run };
}

/** Below 900 px the page is one column: the action stays in reach. */
const STICKY = {
  position: { xs: 'sticky', md: 'static' },
  bottom: 0,
  zIndex: 2,
  mx: { xs: -2, md: 0 },
  px: { xs: 2, md: 0 },
  pt: 1.5,
  bgcolor: 'background.default',
} as const;
