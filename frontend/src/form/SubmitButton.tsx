import { Alert, Button } from '@mui/material';
import { useAction } from './useAction';

interface Props {
  readonly label: string;
  /** Why it cannot be pressed yet; empty where it can. */
  readonly missing: readonly string[];
  /** Resolves when the request has been written down; the rest happens without this button. */
  readonly onSubmit: () => Promise<unknown>;
}

export function SubmitButton({ label, missing, onSubmit }: Props) {
  const { busy, error, run } = useAction(onSubmit);
  const blocked = missing.length > 0;
  return (
    <div className="submit">
      {error && <Alert severity="error">{error}</Alert>}
      <Button
        size="large"
        variant="contained"
        loading={busy}
        disabled={blocked}
        aria-describedby="missing"
        onClick={() => run()}>
        {label}
      </Button>
      <p id="missing" className="small muted">
        {blocked && `First ${missing.join(' and ')}.`}
      </p>
    </div>
  );
}
