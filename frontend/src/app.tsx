import { Alert, IconButton, Tab as TabButton, Tabs } from '@mui/material';
import { useState } from 'react';
import { type Service, useConnection } from './api/client';
import { Notice } from './attempt';
import { AvatarPanel } from './avatar/avatar-panel';
import { BackgroundPanel } from './background/background-panel';
import { Gallery } from './gallery/gallery';
import { SettingsIcon } from './icons';
import { OperatorPage } from './operator/operator-page';
import { OverlayPanel } from './overlay/overlay-panel';
import { VerifyPanel } from './provenance/verify-panel';
import { goTo, type Screen, TABS, useScreen } from './route';
import { useService } from './service';
import { type Settings, useSettings } from './settings';
import { SettingsDialog } from './settings-dialog';
import { isInFlight, NAMES, phaseOf, standing } from './tasks/record';
import { useTasks } from './tasks/store';

export function App() {
  const screen = useScreen();
  const service = useService();
  const settings = useSettings();
  const { online, reachable, needsKey } = useConnection();
  const [settingsOpen, setSettingsOpen] = useState(false);
  /** With these the person goes on, though the service asks for a key. */
  const [accepted, setAccepted] = useState<Settings>();
  const closeSettings = () => {
    setSettingsOpen(false);
    if (needsKey) setAccepted(settings); // those from before, where others are being saved
    useConnection.setState({ needsKey: false });
  };
  return (
    <>
      <Header onSettings={() => setSettingsOpen(true)} />
      {!(online && reachable) && (
        <Alert severity="warning" square>
          {online ? 'The service can’t be reached.' : 'You are offline.'} What you write is kept, and tasks go on once
          it is back.
        </Alert>
      )}
      <main className="bounds">
        <div role="tabpanel" id="panel" aria-labelledby={screen === 'operator' ? undefined : `tab-${screen}`}>
          {screen === 'avatar' && <AvatarPanel service={service} />}
          {screen === 'background' && <BackgroundPanel />}
          {screen === 'overlay' && <OverlayPanel service={service} />}
          {screen === 'gallery' && <Gallery />}
          {screen === 'operator' && <OperatorPage />}
          {screen === 'verify' && <VerifyPanel service={service} />}
        </div>
        <footer className="small muted">
          {service ? `AIGE ${service.version}, ${enginesOf(service)}.` : '\u00a0'}
          {service?.generative === false && ' It draws by rules, not with a generative model.'}
          {service?.operator && screen !== 'operator' && (
            <>
              {' '}
              <a href="#/operator">Operator’s page</a>
            </>
          )}
        </footer>
      </main>
      {(settingsOpen || (needsKey && accepted !== settings)) && (
        <SettingsDialog needsKey={needsKey} onClose={closeSettings} />
      )}
      <Notice />
    </>
  );
}

/** The one engine, or all that are asked for anything. */
function enginesOf({ engine, engines }: Service): string {
  // An older service does not name those of each verb.
  const names = [...new Set(Object.values(engines ?? {}).flat())];
  return names.length > 1 ? `engines ${names.join(', ')}` : `${engine} engine`;
}

function Header({ onSettings }: { readonly onSettings: () => void }) {
  const screen = useScreen();
  return (
    <header className="header">
      <div className="bounds">
        <div className="name">
          AIGE <span className="muted">Studio</span>
        </div>
        <Tabs
          value={screen === 'operator' ? false : screen}
          onChange={(_, chosen) => goTo(chosen)}
          aria-label="Screens"
          variant="scrollable"
          scrollButtons={false}
          className="tabs">
          {Object.entries(TABS).map(([name, label]) => (
            <TabButton key={name} value={name} id={`tab-${name}`} aria-controls="panel" label={label} />
          ))}
        </Tabs>
        <CurrentTask screen={screen} />
        <IconButton aria-label="Settings" onClick={onSettings} edge="end">
          <SettingsIcon />
        </IconButton>
      </div>
    </header>
  );
}

/** Where the current task stands: the page's one live region, and its title. */
function CurrentTask({ screen }: { readonly screen: Screen }) {
  const all = useTasks();
  const record = all.find((one) => one.operation === screen) ?? all[0];
  const running = all.filter(isInFlight).length;
  const text = record ? `${NAMES[record.operation]}: ${standing(record)}` : '';
  return (
    <div role="status" data-status={record?.task?.status} className="status muted">
      {record && <span className={`dot ${isInFlight(record) ? 'running' : phaseOf(record)}`} aria-hidden />}
      <span className="line">{text}</span>
      <title>{[running ? `(${running})` : '', text, 'AIGE Studio'].filter(Boolean).join(' · ')}</title>
    </div>
  );
}
