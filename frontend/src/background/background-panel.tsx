import { useDraft } from '../drafts';
import { RequestForm } from '../form/request-form';
import { RATIOS } from '../sizes';
import { request } from '../tasks/run';
import { useNewest } from '../tasks/store';

const EXAMPLES = ['A quiet beach at sunset', 'A city skyline at night', 'Snowy mountains under a clear sky'];

export function BackgroundPanel() {
  const [draft, change] = useDraft('background');
  const avatar = useNewest('avatar');
  const submit = () => {
    const body = { prompt: draft.prompt, avatar_id: avatar?.body.avatar_id, aspect_ratio: draft.shape };
    return request({ operation: 'background', body });
  };
  return (
    <RequestForm
      operation="background"
      title="Where is it?"
      lead="A prompt becomes the scene behind the person."
      hint="The place, the time of day, the weather."
      examples={EXAMPLES}
      shapesLabel="Aspect ratio"
      shapes={RATIOS}
      draft={draft}
      onChange={change}
      action="Create background"
      onSubmit={submit}
      empty="Your background appears here."
    />
  );
}
