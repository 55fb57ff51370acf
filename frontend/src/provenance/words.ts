/** What content credentials say, in words for a person. */

import type { Credentials } from '../api/client';

/** IPTC's terms that a picture is likely to name: http://cv.iptc.org/newscodes/digitalsourcetype/ */
const SOURCES: Readonly<Record<string, string>> = {
  trainedAlgorithmicMedia: 'Made by a generative AI model',
  compositeWithTrainedAlgorithmicMedia: 'Put together, in part by a generative AI model',
  algorithmicallyEnhanced: 'A photo that a program has changed',
  algorithmicMedia: 'Drawn by a program, without a trained model',
  composite: 'Put together from several pictures',
  compositeSynthetic: 'Put together, with parts that are synthetic',
  compositeCapture: 'Put together from several photos',
  digitalCapture: 'Taken with a camera',
  computationalCapture: 'Taken with a camera that computes its pictures',
  digitalCreation: 'Drawn by a person, with a program',
  humanEdits: 'Changed by a person',
  screenCapture: 'A picture of a screen',
  virtualRecording: 'A recording of a virtual scene',
  negativeFilm: 'Scanned from a negative',
  positiveFilm: 'Scanned from a slide',
  print: 'Scanned from a print',
};

/** A term that is not known here is shown as it stands. */
export function sourceOf(term: string): string {
  return Object.hasOwn(SOURCES, term) ? (SOURCES[term] as string) : term;
}

export function makerOf({ engine, model }: { readonly engine: string; readonly model: string | null }): string {
  return model ? `${engine}: ${model}` : engine;
}

export interface Verdict {
  readonly look: 'good' | 'neutral' | 'bad';
  readonly headline: string;
  readonly detail: string;
}

const EXPIRED = 'signingCredential.expired';

/** Of the picture or of what it says: `assertion.dataHash.mismatch`, `claimSignature.mismatch`, … */
function isOfChange(problem: string): boolean {
  return problem.endsWith('.mismatch') || problem.endsWith('.missing');
}

export function verdictOf({ signed, valid, trusted, issuer, problems }: Credentials): Verdict {
  if (!signed) {
    const detail = 'Nothing in it says where it comes from. Most pictures carry none, and many programs remove them.';
    return { look: 'neutral', headline: 'No content credentials', detail };
  }
  const who = issuer ?? 'an unknown signer';
  if (!valid && problems.length > 0 && problems.every((problem) => problem === EXPIRED)) {
    const detail = `It was signed by ${who}, and nothing else is wrong with it.`;
    return { look: 'neutral', headline: 'The signer’s certificate has run out', detail };
  }
  if (!valid) {
    const why = problems.some(isOfChange) ? 'has been changed or damaged since' : 'does not pass the check';
    const detail = `It claims to be signed by ${who}, but it ${why}. Trust nothing below.`;
    return { look: 'bad', headline: 'The credentials do not hold', detail };
  }
  if (trusted) {
    return {
      look: 'good',
      headline: `Signed by ${who}`,
      detail: 'Unchanged since, and this server trusts the signer.',
    };
  }
  const detail = `The signer calls itself ${who}. It is not on this server’s list of those it trusts, so anyone may have signed.`;
  return { look: 'good', headline: 'Unchanged since it was signed', detail };
}
