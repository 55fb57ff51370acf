/** Archives, as another program reads them: Python's, which `make test` needs anyway. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { zipped } from '../../src/gallery/zip.ts';

const LIST = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    print(json.dumps([[f.filename, f.date_time, f.compress_type, archive.read(f).hex()] for f in archive.infolist()]))
`;

async function read(archive: Blob): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'zip-'));
  try {
    const path = join(folder, 'a.zip');
    writeFileSync(path, Buffer.from(await archive.arrayBuffer()));
    return JSON.parse(execFileSync('python3', ['-c', LIST, path], { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('every file is there as it was, under its name and with its time', async () => {
  const at = new Date(2026, 10, 27, 13, 45, 58);
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * index) >> 3);
  const files = [
    { name: '001-avatar-café.png', blob: new Blob([bytes]), at },
    { name: '002-empty.png', blob: new Blob([]), at },
    { name: '003-overlay.png', blob: new Blob(['the third']), at },
  ];
  const time = [2026, 11, 27, 13, 45, 58];
  expect(await read(await zipped(files))).toEqual([
    ['001-avatar-café.png', time, 0, Buffer.from(bytes).toString('hex')],
    ['002-empty.png', time, 0, ''],
    ['003-overlay.png', time, 0, Buffer.from('the third').toString('hex')],
  ]);
});

test('an archive of nothing is one too', async () => {
  expect(await read(await zipped([]))).toEqual([]);
});
