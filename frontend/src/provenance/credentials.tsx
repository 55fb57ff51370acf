import { Alert, Skeleton } from '@mui/material';
import { useEffect, useState } from 'react';
import { type Credentials, verify } from '../api/client';
import { Explained } from '../api/errors';
import { Fact } from '../fact';
import { makerOf, sourceOf, verdictOf } from './words';

interface Props {
  /** Asked once, when this is shown. */
  readonly of: () => Promise<Blob>;
}

type State = { readonly answer?: Credentials; readonly problem?: string };

/** What a picture's content credentials say, as the service reads them. */
export function CredentialsOf({ of: picture }: Props) {
  const [{ answer, problem }, setState] = useState<State>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once; another picture is another element
  useEffect(() => {
    let left = false;
    const keep = (state: State) => left || setState(state);
    picture()
      .then(verify)
      .then(
        (credentials) => keep({ answer: credentials }),
        (error) => keep({ problem: wordsFor(error) }),
      );
    return () => {
      left = true;
    };
  }, []);
  return (
    <div className="credentials" aria-busy={!answer && !problem}>
      <div aria-live="polite">
        {problem && <Alert severity="error">{problem}</Alert>}
        {answer && <Headline of={answer} />}
        {!answer && !problem && <Skeleton height={64} aria-label="Reading the credentials" />}
      </div>
      {answer?.signed && <Facts of={answer} />}
    </div>
  );
}

function wordsFor(error: unknown): string {
  return error instanceof Explained ? error.message : 'Something broke in this page.';
}

function Headline({ of: credentials }: { readonly of: Credentials }) {
  const { look, headline, detail } = verdictOf(credentials);
  return (
    <>
      <p className={`verdict ${look}`}>
        <span className="dot" aria-hidden /> {headline}
      </p>
      <p className="small muted">{detail}</p>
    </>
  );
}

function Facts({ of: { digital_source_type, made_by, ingredients, problems } }: { readonly of: Credentials }) {
  return (
    <dl className="facts">
      {digital_source_type && <Fact label="What it is" of={[sourceOf(digital_source_type)]} />}
      <Fact label="Made by" of={made_by.map(makerOf)} />
      <Fact label="Made from" of={ingredients.map(ingredientOf)} />
      <Fact label="What is wrong" of={problems.map((code) => <code key={code}>{code}</code>)} />
    </dl>
  );
}

function ingredientOf({ title, issuer, valid, digital_source_type: kind }: Credentials['ingredients'][number]) {
  return (
    <>
      {title || 'A picture'}
      <span className="small muted">
        {kind && ` – ${sourceOf(kind)}`}
        {issuer && `, signed by ${issuer}`}
        {issuer && !valid && ', which does not hold'}
      </span>
    </>
  );
}
