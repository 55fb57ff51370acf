import { Alert, Button, Skeleton } from '@mui/material';
import type { Service } from '../api/client';
import { type Drafts, useDraft } from '../drafts';
import { isPrompt, PromptField } from '../form/PromptField';
import { ShapeField } from '../form/ShapeField';
import { SubmitButton } from '../form/SubmitButton';
import { newId } from '../newId';
import { UnreadablePicture } from '../picture';
import { goTo } from '../route';
import { CANVASES, type CanvasSize } from '../sizes';
import { request } from '../tasks/submit';
import { fieldProblem, useNewest, usePictures } from '../tasks/useTasks';
import { useLoaded } from '../useLoaded';
import { Workspace } from '../Workspace';
import { PlacementFields } from './PlacementFields';
import { Rendered } from './Rendered';
import { SourcePicker } from './SourcePicker';
import { Stage } from './Stage';
import { type Source, sourcesOf, urlOf, useStudio } from './sources';
import { composedExactly, pngOf, useExact, useSources } from './useExact';
import { usePlacement } from './usePlacement';

const EXAMPLES = ['Natural light, soft shadows', 'Warm evening light from the left'];
const SHAPES = Object.entries(CANVASES).map(([value, { label, width, height }]) => {
  return { value: value as CanvasSize, label, detail: `${width} × ${height}`, ratio: width / height };
});

export function ComposePanel({ service }: { readonly service: Service | null }) {
  const [draft, change] = useDraft('compose');
  const newest = useNewest('overlay');
  const [people, person] = sourcesOf(draft.person, usePictures('avatar'), null);
  const [backgrounds, background] = sourcesOf(draft.background, usePictures('background'), useStudio());
  const [personImage, backgroundImage] = [useBitmap(person), useBitmap(background)];
  const opened = useSources(person?.picture ?? null, background?.picture ?? null);
  const canvas = CANVASES[draft.canvas];
  const { place, moving, forget, onKeyDown, ...placing } = usePlacement(personImage, canvas);
  const exact = useExact(opened, canvas, place, moving);

  const startOver = (changes: Partial<Drafts['compose']>) => {
    forget();
    change({ ...changes, place: null });
  };
  const submit = async () => {
    const image = place && (exact ?? (await composedExactly(canvas, place)));
    if (!person || !background || !image) throw new UnreadablePicture('One of the pictures cannot be read.');
    const preview = await pngOf(image);
    const [personUrl, backgroundUrl] = await Promise.all([urlOf(person), urlOf(background)]);
    const body = {
      prompt: draft.prompt,
      avatar_id: person.record?.body.avatar_id ?? newId(),
      aspect_ratio: draft.canvas,
      params: { person: personUrl, background: backgroundUrl, position: { ...place } },
    };
    await request({ operation: 'overlay', body }, { person: person.picture, background: background.picture, preview });
  };
  const missing = [
    ...(person ? [] : ['make or choose a person']),
    ...(isPrompt(draft.prompt) ? [] : ['write a prompt']),
    ...(person && !opened ? ['wait for the pictures'] : []),
  ];

  return (
    <Workspace
      title="Put them together"
      lead="Drag the person to its place. What you see is what you get, pixel for pixel."
      stageFirst
      form={
        <>
          <SourcePicker
            label="Person"
            sources={people}
            chosen={person}
            onChoose={(choice) => startOver({ person: choice })}
          />
          <SourcePicker
            label="Backdrop"
            sources={backgrounds}
            chosen={background}
            onChoose={(choice) => change({ background: choice })}
          />
          <ShapeField
            label="Canvas size"
            shapes={SHAPES}
            value={draft.canvas}
            onChange={(size) => startOver({ canvas: size })}
          />
          <PromptField
            value={draft.prompt}
            onChange={(prompt) => change({ prompt })}
            hint={
              service?.generative
                ? 'How light and shadow bind the two.'
                : 'This engine places exactly and blends nothing.'
            }
            examples={EXAMPLES}
            error={fieldProblem(newest, 'prompt')}
          />
          <SubmitButton label="Render" missing={missing} onSubmit={submit} />
        </>
      }
      stage={
        // biome-ignore lint/a11y/noStaticElementInteractions: Ctrl+Z wherever the focus is; the buttons do the same
        <div onKeyDown={onKeyDown}>
          {!person && <NoPerson />}
          {person && !(personImage && backgroundImage && place) && (
            <Skeleton variant="rounded" sx={{ height: 'auto', aspectRatio: canvas.width / canvas.height }} />
          )}
          {personImage && backgroundImage && place && (
            <>
              <Stage
                {...placing}
                person={personImage}
                background={backgroundImage}
                canvas={canvas}
                place={place}
                exact={exact}
                snap={draft.snap}
              />
              <PlacementFields
                {...placing}
                place={place}
                person={personImage}
                canvas={canvas}
                snap={draft.snap}
                onSnap={(snap) => change({ snap })}
              />
              {opened?.opaque && <Alert severity="info">{OPAQUE}</Alert>}
              {service?.generative && <Alert severity="info">{BLENDED}</Alert>}
            </>
          )}
          {newest && <Rendered record={newest} />}
        </div>
      }
    />
  );
}

function useBitmap(source: Source | null): ImageBitmap | null {
  return useLoaded(source && (() => createImageBitmap(source.picture)), [source?.picture]);
}

const OPAQUE =
  'This person image has no transparency: the service cuts the person out first, which the preview does not show.';
const BLENDED = 'This engine may blend light and shadow after placing: you then see the picture before and after.';

function NoPerson() {
  return (
    <div className="card frame">
      <div className="note muted">
        <p>Make an avatar first, or bring a cut-out of your own under “Person”.</p>
        <Button variant="contained" onClick={() => goTo('avatar')}>
          Make an avatar
        </Button>
      </div>
    </div>
  );
}
