import { Button } from '@mui/material';
import { Component, type ReactNode } from 'react';
import { SettingsDialog } from './settings-dialog';

interface State {
  readonly broken: boolean;
  readonly settingsOpen: boolean;
}

/** Where the page breaks, the settings stay in reach: what answers at the address may be no AIGE, or another version. */
export class Boundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { broken: false, settingsOpen: false };

  static getDerivedStateFromError(): State {
    return { broken: true, settingsOpen: false };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <main className="bounds note">
        <p className="headline">This page broke. Is the address in the settings that of an AIGE?</p>
        <div className="row">
          <Button variant="contained" onClick={() => this.setState({ settingsOpen: true })}>
            Settings
          </Button>
          <Button variant="outlined" onClick={() => this.setState({ broken: false })}>
            Try again
          </Button>
        </div>
        {this.state.settingsOpen && (
          <SettingsDialog needsKey={false} onClose={() => this.setState({ broken: false, settingsOpen: false })} />
        )}
      </main>
    );
  }
}
