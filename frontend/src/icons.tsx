/** The few icons that the page needs; the icon package weighs 174 MB. */

import { createSvgIcon } from '@mui/material/utils';

const stroke = {
  fill: 'none',
  stroke: 'currentColor',
  strokeWidth: 1.8,
  strokeLinecap: 'round',
  strokeLinejoin: 'round',
} as const;
const icon = (path: string, name: string) => createSvgIcon(<path d={path} {...stroke} />, name);

export const SettingsIcon = icon('M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5v5M8 14.5v5', 'Settings');
export const CloseIcon = icon('M6 6l12 12M18 6L6 18', 'Close');
export const AddIcon = icon('M12 5v14M5 12h14', 'Add');
export const DownloadIcon = icon('M12 4v11M7 11l5 5 5-5M5 20h14', 'Download');
export const ImageIcon = icon('M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h.01', 'Image');
export const ComposeIcon = icon(
  'M3 5h18v14H3zM9 13a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM4.5 19c.5-2.6 2.2-4 4.5-4s4 1.4 4.5 4',
  'Compose',
);
export const RepeatIcon = icon(
  'M4 12a8 8 0 0 1 13.7-5.6L20 8.5M20 4v4.5h-4.5M20 12a8 8 0 0 1-13.7 5.6L4 15.500M4 20v-4.500h4.500',
  'Repeat',
);
export const SealIcon = icon(
  'M12 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM9.500 9l1.800 1.800 3.200-3.400M8.500 14.200L7 21l5-2.500 5 2.500-1.500-6.800',
  'Seal',
);
