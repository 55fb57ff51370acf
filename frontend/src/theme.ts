/** Calm paper and ink, one accent, light and dark. What is not MUI's is styled in `styles/`. */

import { createTheme } from '@mui/material/styles';

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: 'data' },
  shape: { borderRadius: 10 },
  typography: {
    fontFamily: 'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
    body1: { fontSize: '0.9375rem', lineHeight: 1.55 },
    button: { textTransform: 'none', fontWeight: 600, letterSpacing: 0 },
  },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: '#0e6b5c', dark: '#0a5448', contrastText: '#fff' },
        error: { main: '#b3261e' },
        background: { default: '#f6f5f1', paper: '#ffffff' },
        text: { primary: '#1b1f1d', secondary: '#5a625e' },
      },
    },
    dark: {
      palette: {
        primary: { main: '#6fd3bd', dark: '#94e2d0', contrastText: '#06251f' },
        error: { main: '#ff8a80' },
        background: { default: '#131514', paper: '#1c1f1e' },
        text: { primary: '#eceeec', secondary: '#a3aba7' },
      },
    },
  },
  components: {
    MuiButtonBase: { defaultProps: { disableRipple: true } },
    MuiButton: { defaultProps: { disableElevation: true }, styleOverrides: { root: { minHeight: 40 } } },
    MuiPaper: { styleOverrides: { root: { backgroundImage: 'none' } } },
    MuiTab: { styleOverrides: { root: { minWidth: 0, minHeight: 56, flex: '1 0 auto', paddingInline: 10 } } },
  },
});
