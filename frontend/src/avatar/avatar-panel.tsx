import type { Service } from '../api/client';
import { useDraft } from '../drafts';
import { RequestForm } from '../form/request-form';
import { copied } from '../picture-file';
import { RATIOS } from '../sizes';
import { request } from '../tasks/run';
import { useNewest } from '../tasks/store';
import { PhotoPicker } from './photo-picker';

const EXAMPLES = ['A cartoon portrait', 'A painterly portrait', 'A business portrait in a navy suit'];

export function AvatarPanel({ service }: { readonly service: Service | null }) {
  const [draft, change] = useDraft('avatar');
  const newest = useNewest('avatar');
  const submit = async () => {
    const photos = await Promise.all(draft.photos.map(copied));
    await request({ operation: 'avatar', body: { prompt: draft.prompt, aspect_ratio: draft.shape }, photos });
  };
  return (
    <RequestForm
      operation="avatar"
      title="Who is in the picture?"
      lead="Photos of one person become an avatar, cut out of its background."
      hint="The style, the clothes, the light."
      examples={EXAMPLES}
      shapesLabel="Aspect ratio"
      shapes={RATIOS}
      draft={draft}
      onChange={change}
      action="Create avatar"
      missing={draft.photos.length > 0 ? [] : ['add a photo']}
      onSubmit={submit}
      empty="Your avatar appears here.">
      <PhotoPicker max={service?.limits.source_images ?? 8} problem={newest?.refusal?.fields.source_images} />
    </RequestForm>
  );
}
