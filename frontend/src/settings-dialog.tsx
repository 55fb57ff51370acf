import { Button, Dialog, DialogActions, DialogContent, DialogTitle, TextField } from '@mui/material';
import { useSettings } from './settings';

interface Props {
  readonly needsKey: boolean;
  readonly onClose: () => void;
}

export function SettingsDialog({ needsKey, onClose }: Props) {
  const { baseUrl, apiKey } = useSettings();
  const save = (form: FormData) => {
    const text = (name: string) => String(form.get(name)).trim();
    useSettings.setState({ baseUrl: text('baseUrl').replace(/\/+$/, ''), apiKey: text('apiKey') });
    onClose();
  };
  const keyHint = needsKey
    ? 'This service asks for an API key, or for another one.'
    : 'Only where the service asks for one. It stays in this browser.';
  const urlHint = 'Where the service answers, /api/v1 included.';
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby="settings">
      <form action={save}>
        <DialogTitle id="settings">Settings</DialogTitle>
        <DialogContent className="fields">
          <TextField name="baseUrl" label="API base URL" defaultValue={baseUrl} helperText={urlHint} />
          <TextField
            name="apiKey"
            label="API key"
            type="password"
            autoComplete="off"
            defaultValue={apiKey}
            error={needsKey}
            helperText={keyHint}
          />
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>Close</Button>
          <Button variant="contained" type="submit">
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
