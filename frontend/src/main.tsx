import CssBaseline from '@mui/material/CssBaseline';
import { ThemeProvider } from '@mui/material/styles';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { Boundary } from './boundary';
import { loadDrafts } from './drafts';
import { resume } from './tasks/run';
import { loadTasks } from './tasks/store';
import { theme } from './theme';
import './stray-drops';

// What was there before the reload is there from the first frame on.
await Promise.all([loadTasks(), loadDrafts()]);
resume();

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <ThemeProvider theme={theme} defaultMode="system">
      <CssBaseline />
      <Boundary>
        <App />
      </Boundary>
    </ThemeProvider>
  </StrictMode>,
);
