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

const EXAMPLES = ['A quiet beach at sunset', 'A city skyline at night', 'Snowy mountains under a clear sky'];

export function BackgroundPanel() {
  const [draft, change] = useDraft('background');
  const newest = useNewest('background');
  const avatar = useNewest('avatar');
  const submit = () =>
    request({
      operation: 'background',
      body: { prompt: draft.prompt, avatar_id: avatar?.body.avatar_id ?? newId(), aspect_ratio: draft.ratio },
    });

  return (
    <Workspace
      title="Where is it?"
      lead="A prompt becomes the scene behind the person."
      form={
        <>
          <PromptField
            value={draft.prompt}
            onChange={(prompt) => change({ prompt })}
            hint="The place, the time of day, the weather."
            examples={EXAMPLES}
            error={fieldProblem(newest, 'prompt')}
          />
          <ShapeField
            label="Aspect ratio"
            shapes={RATIOS}
            value={draft.ratio}
            onChange={(ratio) => change({ ratio })}
          />
          <SubmitButton
            label="Create background"
            missing={isPrompt(draft.prompt) ? [] : ['write a prompt']}
            onSubmit={submit}
          />
        </>
      }
      stage={
        <TaskStage
          record={newest}
          empty="Your background appears here."
          replaceId="prompt"
          next={{ tab: 'compose', label: 'Next: put them together' }}
        />
      }
    />
  );
}
