/** What somebody means who pastes. */

import { expect, test } from 'vitest';
import { pastedPictures } from '../../src/form/paste.ts';

const PICTURE = new File([], 'image.png');
const HOLIDAY = new File([], 'my holiday.jpg');

test.each([
  ['a screenshot', [PICTURE], '', 1],
  ['a picture from Word', [PICTURE], ' \r\n', 1],
  ['a picture from a web page', [PICTURE], 'https://example.com/a?b=c', 1],
  ['a file from Finder', [HOLIDAY], 'my holiday.jpg', 1],
  ['files from Finder', [HOLIDAY, PICTURE], 'my holiday.jpg\rimage.png', 2],
  ['a file from a file manager', [HOLIDAY], '/home/me/my holiday.jpg', 1],
  ['a file from Explorer', [HOLIDAY], 'C:\\Pictures\\my holiday.jpg', 1],
  ['text', [], 'a portrait', 0],
  ['text from Word', [PICTURE], 'a portrait', 0],
  ['cells from Excel', [PICTURE], 'a\tb\r\nc\td\r\n', 0],
  ['text that names a picture', [PICTURE], 'like image.png', 0],
  ['text with an address in it', [PICTURE], 'https://example.com is where', 0],
])('%s', (_what, files, text, pictures) => {
  expect(pastedPictures(files, text)).toHaveLength(pictures);
});
