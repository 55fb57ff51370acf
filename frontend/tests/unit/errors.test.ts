/** What an answer means for the page. */

import { expect, test } from 'vitest';
import openapi from '../../openapi.json';
import { apiError, FAILURES } from '../../src/api/errors.ts';

const PROBLEM = { type: 'about:blank', title: 'x', status: 0, detail: 'The sentence.' };

test.each([400, 401, 404, 405, 409, 429, 500])('%i, as a problem document, is the service’s own word', (status) => {
  const error = apiError(status, PROBLEM, null);
  expect([error.kind, error.message]).toEqual(['refused', 'The sentence.']);
});

test.each([502, 503, 504])('%i means: later', (status) => {
  expect(apiError(status, PROBLEM, '7')).toMatchObject({ kind: 'away', retryAfter: 7 });
  expect(apiError(status, '', null)).toMatchObject({ kind: 'away', retryAfter: 2 });
});

test.each([
  ['quota-exceeded', 'away'],
  ['budget-exceeded', 'refused'],
])('429 for %s means: %s', (reason, kind) => {
  const problem = { ...PROBLEM, type: `https://iana.org/assignments/http-problem-types#${reason}` };
  expect(apiError(429, problem, '7')).toMatchObject({ kind, message: 'The sentence.' });
});

test.each([
  [404, 'Path not found'],
  [500, 'Internal Server Error'],
])('a plain-text %i is the proxy’s: the app is not deployed, or a replica died', (status, text) => {
  expect(apiError(status, text, null).kind).toBe('away');
});

test('a body that is too large is explained in terms of photos', () => {
  expect(apiError(413, PROBLEM, null).message).toContain('photos');
});

test('field errors keep the field’s own name', () => {
  const errors = [{ loc: ['body', 'source_images', 0], msg: 'is no picture', type: 'value_error' }];
  expect(apiError(400, { ...PROBLEM, errors }, null).fields).toEqual({ source_images: 'is no picture' });
});

test('every code that a task can show has its words', () => {
  expect(Object.keys(FAILURES).sort()).toEqual([...openapi.components.schemas.ErrorCode.enum].sort());
});
