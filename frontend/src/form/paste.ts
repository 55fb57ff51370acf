import { useEffect, useEffectEvent } from 'react';
import { attempt } from '../attempt';

/** Takes pictures that are pasted anywhere on the page, while this screen is shown. */
export function usePastedPictures(onFiles: (files: readonly File[]) => Promise<void>): void {
  const paste = useEffectEvent((event: ClipboardEvent) => {
    const { clipboardData } = event;
    const pictures = pastedPictures([...(clipboardData?.files ?? [])], clipboardData?.getData('text/plain') ?? '');
    if (pictures.length === 0) return;
    event.preventDefault(); // else a picture's name is typed into the prompt
    void attempt(() => onFiles(pictures));
  });
  useEffect(() => {
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
}

/**
 * The pictures that somebody pastes; none where it is text that is pasted, for office programs add a picture of it.
 * Browsers and file managers in turn add the address or the name of a picture as text.
 */
export function pastedPictures(files: readonly File[], text: string): readonly File[] {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim());
  const names = files.map(({ name }) => name);
  const isText = lines.some((line) => !/^(https?|file|blob|data):\S*$/.test(line) && !names.includes(nameIn(line)));
  return isText ? [] : files;
}

function nameIn(path: string): string {
  return path.split(/[\\/]/).at(-1) as string;
}
