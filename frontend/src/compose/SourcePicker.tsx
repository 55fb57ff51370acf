import { PictureInput } from '../form/PictureInput';
import { useAction } from '../form/useAction';
import { asPicture } from '../picture';
import { useObjectUrl } from '../useObjectUrl';
import type { Source } from './sources';

interface Props {
  readonly label: string;
  readonly sources: readonly Source[];
  readonly chosen: Source | null;
  readonly onChoose: (choice: string | Blob) => void;
}

/** Which picture to place, of those that are there and one's own. */
export function SourcePicker({ label, sources, chosen, onChoose }: Props) {
  const { error, run } = useAction(async (file: File | undefined) => file && onChoose(await asPicture(file)));
  return (
    <div role="radiogroup" aria-label={label}>
      <h2>{label}</h2>
      <div className="tiles pictures">
        {sources.map((source) => (
          <label key={source.id} className="tile checkered" title={source.name}>
            <input
              type="radio"
              name={label}
              aria-label={source.name}
              className="hidden"
              checked={source.id === chosen?.id}
              onChange={() => onChoose(source.record?.key ?? source.picture)}
            />
            <Thumbnail picture={source.picture} />
          </label>
        ))}
        <PictureInput label={`Your own ${label.toLowerCase()}`} onFiles={([file]) => run(file)} />
      </div>
      {error && (
        <p role="alert" className="small bad">
          {error}
        </p>
      )}
    </div>
  );
}

function Thumbnail({ picture }: { readonly picture: Blob }) {
  const url = useObjectUrl(picture);
  return url && <img src={url} alt="" />;
}
