/** ZIP archives of files that are compressed already; numbers in brackets are sections of PKWARE's APPNOTE 6.3. */

export interface Packed {
  readonly name: string;
  readonly blob: Blob;
  readonly at: Date;
}

const LOCAL_HEADER = 0x04034b50;
const DIRECTORY_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
const VERSION = 20;
const UTF8 = 0x800;

/** The files, as they are, in one archive of less than 4 GB. Names are not checked for being unique. */
export async function zipped(files: readonly Packed[]): Promise<Blob> {
  const content: BlobPart[] = [];
  const directory: BlobPart[] = [];
  let offset = 0;
  for (const { name, blob, at } of files) {
    const encoded = new TextEncoder().encode(name);
    const crc = crc32(new Uint8Array(await blob.arrayBuffer()));
    // [4.3.7]: version, flags, method "stored", time, date, CRC, both sizes, the name's length, no extra field.
    const facts = [
      ...[u16(VERSION), u16(UTF8), u16(0), ...dosTime(at), u32(crc), u32(blob.size), u32(blob.size)],
      ...[u16(encoded.length), u16(0)],
    ];
    content.push(...[u32(LOCAL_HEADER), ...facts, encoded, blob]);
    // [4.3.12]: no comment, the first disk, no attributes.
    directory.push(u32(DIRECTORY_HEADER), u16(VERSION), ...facts, u16(0), u16(0), u16(0), u32(0), u32(offset), encoded);
    offset += 30 + encoded.length + blob.size;
  }
  const { size } = new Blob(directory);
  // [4.3.16]: one disk, no comment.
  const counts = [u16(0), u16(0), u16(files.length), u16(files.length), u32(size), u32(offset), u16(0)];
  return new Blob([...content, ...directory, u32(END_OF_DIRECTORY), ...counts], { type: 'application/zip' });
}

function u16(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([value, value >> 8]);
}

function u32(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([value, value >> 8, value >> 16, value >> 24]);
}

/** Time and date as MS-DOS wrote them, in steps of two seconds [4.4.6]. */
function dosTime(at: Date): BlobPart[] {
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  const date = ((at.getFullYear() - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate();
  return [u16(time), u16(date)];
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  return remainder;
});

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] as number);
  return ~crc;
}
