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
