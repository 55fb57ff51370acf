/** What the service tells operators, without the work that it tells of. */

import type { Page } from 'playwright-core';

export const OVERVIEW = {
  in_flight: [
    { caller: 'mobile', statuses: { pending: 12, uploading_image: 1 } },
    { caller: 'web', statuses: { processing_overlay: 2 } },
  ],
  ended: [
    { code: 'no_person_found', message: 'Send another photo.' },
    null,
    { code: 'cancelled', message: 'The task was cancelled.' },
  ].map((error, index) => ({
    ...{ aige_task_id: `task-${index}`, caller: 'web', operation: 'avatar', status: error ? 'error' : 'done', error },
    ...{ engine: 'local', at: '2030-01-01T00:00:00Z', seconds: 12.34 },
  })),
  webhooks_waiting: 7,
  billed: [
    { caller: 'web', model: 'fal-ai/birefnet', amount: 1.5 },
    { caller: 'mobile', model: 'fal-ai/birefnet', amount: 0.0625 },
  ],
};

/** What is answered to who asks for it, one after the other: an overview, or a refusal's status; the last one for ever. */
export async function tell(page: Page, ...answers: (object | number)[]): Promise<void> {
  let asked = 0;
  await page.route('**/api/v1/operator/events', (route) => {
    const answer = answers[Math.min(asked++, answers.length - 1)];
    return typeof answer === 'number'
      ? route.fulfill({ status: answer, json: { detail: 'No.' } })
      : route.fulfill({
          contentType: 'text/event-stream',
          body: `event: overview\ndata: ${JSON.stringify(answer)}\n\n`,
        });
  });
}
