import { describe, expect, it } from 'vitest';
import { createApp } from '../../../src/api/app.ts';
import { refusing } from '../../../src/daemon/refusing.ts';
import { recordingView } from '../../fixtures/recording-view.ts';

describe('a process that is no server', () => {
  const { view, asked } = recordingView(refusing('is a client only'));
  const app = createApp(view);
  const headers = { host: 'localhost', 'content-type': 'application/json' };

  it.each([
    ['GET', 'nodes'],
    ['GET', 'events'],
    ['GET', 'audit'],
    ['DELETE', 'nodes/n1'],
    ['DELETE', 'switchover'],
    ['POST', 'services/web/primary/forget'],
  ])('answers %s %s by saying whom to ask', async (method, path) => {
    const answer = await app.request(`/api/v1/${path}`, { method, headers });
    const error = 'Cannot take a request: this process is a client only; ask the API of a server';
    expect([answer.status, await answer.json(), asked]).toEqual([409, { error }, []]);
  });

  it('tells what it knows itself', async () => {
    for (const path of ['status', 'cluster', 'services', 'services/web/slots', 'version', 'openapi.json']) {
      expect((await app.request(`/api/v1/${path}`, { headers })).status).toBe(200);
    }
  });
});
