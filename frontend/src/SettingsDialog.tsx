import {
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  MenuItem,
  TextField,
  useColorScheme,
} from '@mui/material';
import { useState } from 'react';
import { changeSettings, settings } from './settings';

interface Props {
  /** Why it opened by itself. */
  readonly reason: string | undefined;
  readonly onClose: () => void;
}

export function SettingsDialog({ reason, onClose }: Props) {
  const { mode = 'system', setMode } = useColorScheme();
  const [{ baseUrl, apiKey }, setEdited] = useState(settings.get);
  const save = () => {
    changeSettings({ baseUrl: baseUrl.trim().replace(/\/+$/, ''), apiKey: apiKey.trim() });
    onClose();
  };
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="xs" aria-labelledby="settings">
      <DialogTitle id="settings">Settings</DialogTitle>
      <DialogContent sx={{ display: 'grid', gap: 2.5, overflow: 'visible' }}>
        <TextField
          label="API base URL"
          value={baseUrl}
          onChange={(event) => setEdited({ apiKey, baseUrl: event.target.value })}
          helperText="Where the service answers, /api/v1 included."
        />
        <TextField
          label="API key"
          type="password"
          autoComplete="off"
          value={apiKey}
          onChange={(event) => setEdited({ baseUrl, apiKey: event.target.value })}
          error={reason !== undefined}
          helperText={reason ?? 'Only where the service asks for one. It stays in this browser.'}
        />
        <TextField select label="Theme" value={mode} onChange={(event) => setMode(event.target.value as typeof mode)}>
          <MenuItem value="system">As the system</MenuItem>
          <MenuItem value="light">Light</MenuItem>
          <MenuItem value="dark">Dark</MenuItem>
        </TextField>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
        <Button variant="contained" onClick={save}>
          Save
        </Button>
      </DialogActions>
    </Dialog>
  );
}
