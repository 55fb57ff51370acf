/** What content credentials say, in words. */

import { expect, test } from 'vitest';
import type { Credentials } from '../../src/api/client.ts';
import { sourceOf, type Verdict, verdictOf } from '../../src/provenance/words.ts';

const SIGNED: Credentials = {
  signed: true,
  valid: true,
  issuer: 'AIGE',
  trusted: false,
  digital_source_type: 'algorithmicMedia',
  made_by: [],
  ingredients: [],
  problems: [],
};

test.each<[string, Partial<Credentials>, Verdict['look'], string, RegExp]>([
  ['unsigned', { signed: false, valid: false, issuer: null }, 'neutral', 'No content credentials', /Most pictures/],
  [
    'changed since',
    { valid: false, problems: ['assertion.dataHash.mismatch'] },
    'bad',
    'The credentials do not hold',
    /AIGE, but it has been changed/,
  ],
  [
    'of a certificate that is no good',
    { valid: false, problems: ['signingCredential.invalid'] },
    'bad',
    'The credentials do not hold',
    /AIGE, but it does not pass the check/,
  ],
  ['of a signer that is trusted', { trusted: true }, 'good', 'Signed by AIGE', /Unchanged since/],
  [
    'of a certificate that has run out',
    { valid: false, problems: ['signingCredential.expired'] },
    'neutral',
    'The signer’s certificate has run out',
    /nothing else is wrong/,
  ],
  [
    'that was changed too',
    { valid: false, problems: ['signingCredential.expired', 'assertion.dataHash.mismatch'] },
    'bad',
    'The credentials do not hold',
    /changed/,
  ],
  ['of any other signer', {}, 'good', 'Unchanged since it was signed', /calls itself AIGE.*anyone may have signed/],
  ['of a signer without a name', { issuer: null, trusted: true }, 'good', 'Signed by an unknown signer', /Unchanged/],
  [
    'trusted but changed',
    { valid: false, trusted: true, problems: ['claimSignature.mismatch'] },
    'bad',
    'The credentials do not hold',
    /changed/,
  ],
])('a picture %s', (_kind, changes, look, headline, detail) => {
  const verdict = verdictOf({ ...SIGNED, ...changes });
  expect([verdict.look, verdict.headline]).toEqual([look, headline]);
  expect(verdict.detail).toMatch(detail);
});

test.each([
  ['trainedAlgorithmicMedia', 'Made by a generative AI model'],
  ['algorithmicMedia', 'Drawn by a program, without a trained model'],
  ['somethingNew', 'somethingNew'],
  ['constructor', 'constructor'],
])('%s means: %s', (term, words) => {
  expect(sourceOf(term)).toBe(words);
});
