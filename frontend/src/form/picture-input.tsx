import { attempt } from '../attempt';
import { AddIcon } from '../icons';

interface Props {
  readonly label: string;
  readonly id?: string;
  readonly multiple?: boolean;
  /** Said where nothing has been chosen yet. */
  readonly invitation?: string | undefined;
  readonly onFiles: (files: File[]) => Promise<void>;
}

/** A tile that opens the file chooser, and takes what is dropped on it. */
export function PictureInput({ invitation, label, onFiles, ...props }: Props) {
  return (
    <label className={invitation ? 'tile add alone' : 'tile add'}>
      <input
        {...props}
        type="file"
        aria-label={label}
        accept="image/*"
        onChange={({ target }) => {
          const files = [...(target.files ?? [])];
          target.value = ''; // the same file may be chosen again
          return attempt(() => onFiles(files));
        }}
      />
      <AddIcon />
      {invitation}
    </label>
  );
}
