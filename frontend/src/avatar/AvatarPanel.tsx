import type { Service } from '../api/client';
import { useDraft } from '../drafts';
import { isPrompt, PromptField } from '../form/PromptField';
import { ShapeField } from '../form/ShapeField';
import { SubmitButton } from '../form/SubmitButton';
import { newId } from '../newId';
import { RATIOS } from '../sizes';
import { request } from '../tasks/submit';
import { TaskStage } from '../tasks/TaskStage';
import { fieldProblem, useNewest } from '../tasks/useTasks';
import { Workspace } from '../Workspace';
import { PhotoPicker } from './PhotoPicker';

const EXAMPLES = ['A cartoon portrait', 'A painterly portrait', 'A business portrait in a navy suit'];

export function AvatarPanel({ service }: { readonly service: Service | null }) {
  const [draft, change] = useDraft('avatar');
  const newest = useNewest('avatar');
  const missing = [
    ...(draft.photos.length > 0 ? [] : ['add a photo']),
    ...(isPrompt(draft.prompt) ? [] : ['write a prompt']),
  ];
  const submit = () =>
    request({
      operation: 'avatar',
      body: {
        prompt: draft.prompt,
        avatar_id: newId(),
        source_images: draft.photos.map((photo) => photo.uri),
        aspect_ratio: draft.ratio,
      },
    });

  return (
    <Workspace
      title="Who is in the picture?"
      lead="Photos of one person become an avatar, cut out of its background."
      form={
        <>
          <PhotoPicker
            photos={draft.photos}
            max={service?.limits.source_images ?? 8}
            onChange={(photos) => change({ photos })}
            onSample={(photo) => change({ photos: [photo], prompt: draft.prompt || (EXAMPLES[0] as string) })}
            error={fieldProblem(newest, 'source_images')}
          />
          <PromptField
            value={draft.prompt}
            onChange={(prompt) => change({ prompt })}
            hint="The style, the clothes, the light."
            examples={EXAMPLES}
            error={fieldProblem(newest, 'prompt')}
          />
          <ShapeField
            label="Aspect ratio"
            shapes={RATIOS}
            value={draft.ratio}
            onChange={(ratio) => change({ ratio })}
          />
          <SubmitButton label="Create avatar" missing={missing} onSubmit={submit} />
        </>
      }
      stage={
        <TaskStage
          record={newest}
          empty="Your avatar appears here."
          replaceId="photos"
          next={{ tab: 'background', label: 'Next: its background' }}
        />
      }
    />
  );
}
