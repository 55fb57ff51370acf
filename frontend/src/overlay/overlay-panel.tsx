import { Alert, Skeleton } from '@mui/material';
import { presign, type Service, upload } from '../api/client';
import { useDraft } from '../drafts';
import { Empty } from '../empty';
import { RequestForm } from '../form/request-form';
import { CANVASES } from '../sizes';
import { request } from '../tasks/run';
import { Canvas } from './canvas';
import { type Candidate, PicturePicker, useCandidates } from './picture-picker';
import { PlacementFields } from './placement-fields';
import { composer, useExact, useOpened } from './use-exact';
import { usePlacement } from './use-placement';

const EXAMPLES = ['Natural light, soft shadows', 'Warm evening light from the left'];
const OPAQUE = 'This person has no transparency: the service cuts it out first, which the preview does not show.';
const ROUNDED = 'This browser rounds the colours of translucent pixels: the preview may be a shade off there.';
const BLENDED = 'This server may blend light and shadow after placing: you then see the picture before and after.';

export function OverlayPanel({ service }: { readonly service: Service | null }) {
  const [draft, change] = useDraft('overlay');
  const [people, backgrounds] = [useCandidates('avatar', draft.person), useCandidates('background', draft.background)];
  const [person, background] = [people.chosen, backgrounds.chosen];
  const opened = useOpened(person?.picture, background?.picture);
  const canvas = CANVASES[draft.shape];
  const { place, ...placing } = usePlacement(opened, canvas);
  const exact = useExact(opened, canvas, place, placing.moving);

  const changeAndStartOver = (changes: Partial<typeof draft>) => {
    change(changes);
    placing.startOver();
  };
  const submit = async () => {
    if (!person || !background || !place) return;
    const [preview, ...urls] = await Promise.all([composer().png(canvas, place), urlOf(person), urlOf(background)]);
    const body = {
      prompt: draft.prompt,
      avatar_id: person.record?.body.avatar_id,
      aspect_ratio: draft.shape,
      params: { person: urls[0], background: urls[1], position: { ...place } },
    };
    await request({ operation: 'overlay', body }, { person: person.picture, background: background.picture, preview });
  };
  const waiting = opened ? [] : ['wait for the pictures'];

  return (
    <RequestForm
      operation="overlay"
      title="Put them together"
      lead="Drag the person to its place. What you see is what you get, pixel for pixel."
      hint={service?.blends ? 'How light and shadow bind the two.' : 'This server places exactly and blends nothing.'}
      examples={EXAMPLES}
      shapesLabel="Canvas size"
      shapes={CANVASES}
      draft={draft}
      onChange={(changes) => (changes.shape ? changeAndStartOver(changes) : change(changes))}
      action="Render"
      missing={person ? waiting : ['make or choose a person']}
      onSubmit={submit}
      canvas={
        <div className="composition">
          {!person && (
            <Empty text="Make an avatar first, or bring a cut-out of your own under “Person”." start="Make an avatar" />
          )}
          {person && !opened && (
            <Skeleton variant="rounded" sx={{ height: 'auto', aspectRatio: canvas.width / canvas.height }} />
          )}
          {person && background && opened && place && (
            <>
              <Canvas
                {...placing}
                pictures={{ person: person.picture, background: background.picture }}
                person={opened}
                canvas={canvas}
                place={place}
                exact={exact}
                snap={draft.snap}
              />
              <PlacementFields {...placing} place={place} />
            </>
          )}
          {opened && !opened.exact && <Alert severity="info">{ROUNDED}</Alert>}
          {opened?.opaque && <Alert severity="info">{OPAQUE}</Alert>}
          {service?.blends && <Alert severity="info">{BLENDED}</Alert>}
        </div>
      }>
      <PicturePicker label="Person" {...people} onChoose={(choice) => changeAndStartOver({ person: choice })} />
      <PicturePicker label="Backdrop" {...backgrounds} onChoose={(choice) => change({ background: choice })} />
    </RequestForm>
  );
}

/** Where the service reads it. Links expire: a fresh one each time. */
async function urlOf({ picture, record }: Candidate): Promise<string> {
  return record ? (await presign(record.objectKey)).readUrl : upload(picture);
}
