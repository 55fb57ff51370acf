/** Orientation in a WebP: some browsers heed its EXIF, and others do not. */

/** What EXIF says, 1 to 8. It is struck out of `bytes`, so that no browser turns the picture as well. */
export function takeOrientation(bytes: Uint8Array<ArrayBuffer>): number {
  const view = new DataView(bytes.buffer);
  const is = (name: string, at: number) => [...name].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));
  if (!is('RIFF', 0) || !is('WEBP', 8)) return 1;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    if (is('EXIF', at)) {
      bytes.fill('X'.charCodeAt(0), at, at + 4);
      const start = at + (is('Exif\0\0', at + 8) ? 14 : 8);
      return orientationIn(new DataView(bytes.buffer, start, Math.min(size, bytes.length - start)));
    }
    at += 8 + size + (size % 2);
  }
  return 1;
}

const ORIENTATION = 0x0112;

/** Of TIFF as EXIF has it; 1 where it is broken or says nothing. */
function orientationIn(tiff: DataView): number {
  try {
    const little = tiff.getUint16(0) === 0x4949;
    const directory = tiff.getUint32(4, little);
    for (let entry = 0; entry < tiff.getUint16(directory, little); entry++) {
      const at = directory + 2 + 12 * entry;
      if (tiff.getUint16(at, little) !== ORIENTATION) continue;
      const value = tiff.getUint16(at + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch {
    // It points beyond its end.
  }
  return 1;
}
