import { useState } from 'react';
import type { Service } from '../api/client';
import { Explained } from '../api/errors';
import { usePastedPictures } from '../form/paste';
import { PictureInput } from '../form/picture-input';
import { Picture } from '../picture';
import { CredentialsOf } from './credentials';

/** Any picture, from anywhere: whether it says where it comes from, and whether that holds. */
export function VerifyPanel({ service }: { readonly service: Service | null }) {
  const [{ picture, count }, setChosen] = useState<{ picture?: File; count: number }>({ count: 0 });
  const choose = async ([file]: readonly File[]) => {
    const most = service?.limits.picture_bytes;
    if (!file) return;
    if (most && file.size > most) {
      throw new Explained(`“${file.name}” is too large: this server reads pictures of up to ${most / 1_000_000} MB.`);
    }
    setChosen({ picture: file, count: count + 1 });
  };
  usePastedPictures(choose);
  return (
    <div className="verify">
      <div>
        <h1>Where is it from?</h1>
        <p className="muted">
          Pictures that are made here carry signed content credentials (C2PA). Drop any picture, from here or elsewhere,
          to read its own. It is not kept.
        </p>
      </div>
      <div className="tiles pictures">
        <PictureInput
          label="Picture to verify"
          invitation="Choose a picture, or drop or paste it here"
          onFiles={choose}
        />
      </div>
      {picture && (
        <section key={count} className="card verified" aria-label="Result">
          <Picture of={picture} alt={picture.name} className="checkered" />
          <div>
            <h2 className="line">{picture.name}</h2>
            <CredentialsOf of={async () => picture} />
          </div>
        </section>
      )}
    </div>
  );
}
