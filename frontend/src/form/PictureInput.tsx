import { AddIcon } from '../icons';

interface Props {
  readonly label: string;
  readonly id?: string;
  readonly multiple?: boolean;
  /** Said where nothing has been chosen yet. */
  readonly invitation?: string | undefined;
  readonly onFiles: (files: File[]) => void;
}

/** A tile that opens the file chooser. */
export function PictureInput({ label, id, multiple, invitation, onFiles }: Props) {
  return (
    <label className={invitation ? 'tile add alone' : 'tile add'}>
      <input
        id={id}
        type="file"
        aria-label={label}
        accept="image/*"
        multiple={multiple}
        className="hidden"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = ''; // the same file may be chosen again
        }}
      />
      <AddIcon />
      {invitation}
    </label>
  );
}
