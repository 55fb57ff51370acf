import { Alert, IconButton, Tab, Tabs } from '@mui/material';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { connection } from './api/client';
import { AvatarPanel } from './avatar/AvatarPanel';
import { BackgroundPanel } from './background/BackgroundPanel';
import { ComposePanel } from './compose/ComposePanel';
import { Gallery } from './gallery/Gallery';
import { SettingsIcon } from './icons';
import { useObservable } from './observable';
import { goTo, TABS, type Tab as TabName, useTab } from './route';
import { SettingsDialog } from './SettingsDialog';
import { useService } from './service';
import { CurrentStage } from './tasks/CurrentStage';
import { TaskRail } from './tasks/TaskRail';

export function App() {
  const tab = useTab();
  const service = useService();
  const { needsKey } = useObservable(connection);
  const [settingsOpen, setSettingsOpen] = useState(false);
  useEffect(() => setSettingsOpen((open) => open || needsKey), [needsKey]);

  return (
    <>
      <Header tab={tab} onSettings={() => setSettingsOpen(true)} />
      <Banner />
      <main className="bounds">
        <div role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`}>
          {tab === 'avatar' && <AvatarPanel service={service} />}
          {tab === 'background' && <BackgroundPanel />}
          {tab === 'compose' && <ComposePanel service={service} />}
          {tab === 'gallery' && <Gallery />}
        </div>
        {tab !== 'gallery' && <TaskRail />}
        <footer className="small muted">
          {service ? `AIGE ${service.version}, ${service.engine} engine.` : '\u00a0'}
          {service?.generative === false && ' It draws by rules, not with a generative model.'}
        </footer>
      </main>
      {settingsOpen && (
        <SettingsDialog
          reason={needsKey ? 'This service asks for an API key, or for another one.' : undefined}
          onClose={() => setSettingsOpen(false)}
        />
      )}
    </>
  );
}

function Header({ tab, onSettings }: { readonly tab: TabName; readonly onSettings: () => void }) {
  return (
    <header className="header">
      <div className="bounds">
        <div className="name">
          AIGE <span className="muted">Studio</span>
        </div>
        <Tabs value={tab} onChange={(_, chosen) => goTo(chosen)} aria-label="Screens" sx={{ gridArea: 'tabs' }}>
          {TABS.map(({ name, label }) => (
            <Tab key={name} value={name} id={`tab-${name}`} aria-controls="panel" label={label} />
          ))}
        </Tabs>
        <CurrentStage tab={tab} />
        <IconButton aria-label="Settings" onClick={onSettings} edge="end">
          <SettingsIcon />
        </IconButton>
      </div>
    </header>
  );
}

function Banner() {
  const online = useSyncExternalStore(watchNetwork, () => navigator.onLine);
  const { reachable } = useObservable(connection);
  if (online && reachable) return null;
  return (
    <Alert severity="warning" square>
      {online ? 'The service can’t be reached.' : 'You are offline.'} What you write is kept, and tasks go on once it is
      back.
    </Alert>
  );
}

function watchNetwork(watcher: () => void): () => void {
  const watching = new AbortController();
  for (const event of ['online', 'offline']) addEventListener(event, watcher, { signal: watching.signal });
  return () => watching.abort();
}
