import { describe, expect, it } from 'vitest';
import { showSwitch } from '../../../src/cli/switch.ts';

const line = (view: Parameters<typeof showSwitch>[0]['switch']) => showSwitch(view ? { switch: view } : {}, 10_000);

describe('the line about an entry point', () => {
  it('says where it points and when that was read', () => {
    const view = { kind: 'cloudflare', current: 'ep-1', wanted: 'ep-1', agrees: true, lastSuccessAt: 7_000 };
    expect(line(view)).toEqual(['switch     cloudflare: ep-1 (agrees), read 3 s ago']);
    expect(line(undefined)).toEqual([]);
  });

  it('names no time before the first reading, but what fails and when it is tried again', () => {
    expect(line({ kind: 'exec', wanted: 'ep-1', lastError: 'it ended with 1', nextTryAt: 12_000 })).toEqual([
      'switch     exec: not read yet, fails: it ended with 1, next try in 2 s',
    ]);
  });
});
