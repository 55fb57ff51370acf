import { pause } from './pause';

const DOWNLOAD_MS = 60_000;

/** Hands the person a file. */
export function save(file: Blob, name: string): void {
  const href = URL.createObjectURL(file);
  Object.assign(document.createElement('a'), { href, download: name }).click();
  // Some browsers read it only some time after the click.
  void pause(DOWNLOAD_MS).then(() => URL.revokeObjectURL(href));
}
