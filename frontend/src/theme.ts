/** Calm paper and ink, one accent, light and dark. */

import { createTheme } from '@mui/material/styles';

const SANS = 'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: 'data' },
  breakpoints: { values: { xs: 0, sm: 600, md: 900, lg: 1180, xl: 1536 } },
  shape: { borderRadius: 12 },
  typography: {
    fontFamily: SANS,
    h1: { fontSize: '1.5rem', fontWeight: 650, letterSpacing: '-0.02em', lineHeight: 1.25 },
    h2: { fontSize: '1rem', fontWeight: 650, letterSpacing: '-0.01em', lineHeight: 1.4 },
    body1: { fontSize: '0.9375rem', lineHeight: 1.55 },
    body2: { fontSize: '0.875rem', lineHeight: 1.5 },
    caption: { fontSize: '0.8125rem', lineHeight: 1.45 },
    button: { textTransform: 'none', fontWeight: 600, letterSpacing: 0 },
  },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: '#0e6b5c', dark: '#0a5448', contrastText: '#fff' },
        error: { main: '#a8321f' },
        background: { default: '#f6f5f1', paper: '#ffffff' },
        text: { primary: '#1b1f1d', secondary: '#5a625e' },
        divider: '#e2e0d8',
      },
    },
    dark: {
      palette: {
        primary: { main: '#6fd3bd', dark: '#94e2d0', contrastText: '#06251f' },
        error: { main: '#ff9c87' },
        background: { default: '#131514', paper: '#1c1f1e' },
        text: { primary: '#eceeec', secondary: '#a3aba7' },
        divider: '#303532',
      },
    },
  },
  components: {
    MuiButtonBase: { defaultProps: { disableRipple: true } },
    MuiButton: {
      defaultProps: { disableElevation: true },
      styleOverrides: { root: { borderRadius: 10, paddingInline: 18, minHeight: 40 } },
    },
    MuiPaper: { styleOverrides: { root: { backgroundImage: 'none' } } },
    MuiTab: { styleOverrides: { root: { minWidth: 0, minHeight: 56, paddingInline: 14, fontSize: '0.9375rem' } } },
    MuiTooltip: { defaultProps: { arrow: true } },
    MuiCssBaseline: {
      styleOverrides: {
        ':focus-visible': { outline: '2px solid var(--mui-palette-primary-main)', outlineOffset: 2 },
        '@media (prefers-reduced-motion: reduce)': { '*, *::before, *::after': { animation: 'none !important', transition: 'none !important' } },
      },
    },
  },
});

/** Behind what is transparent. */
export const CHECKERBOARD = {
  backgroundColor: 'var(--mui-palette-background-paper)',
  backgroundImage: 'conic-gradient(var(--mui-palette-action-hover) 25%, transparent 0 50%, var(--mui-palette-action-hover) 0 75%, transparent 0)',
  backgroundSize: '20px 20px',
} as const;
