import { describe, expect, it } from 'vitest';
import type { Libc } from '../../../../src/deliver/dns/transport/libc.ts';
import { loadLibc } from '../../../../src/deliver/dns/transport/load-libc.ts';
import { chooseTransport, tryBatch } from '../../../../src/deliver/dns/transport/self-test.ts';
import { hasCode } from '../../../../src/model/error.ts';

const { signal } = new AbortController();
const found = await loadLibc();
const bindings = typeof found === 'string' ? [] : [found];

describe('the choice of a transport', () => {
  it('is dgram when that is wanted, without a reason', async () => {
    expect(await chooseTransport('dgram', signal)).toEqual({ kind: 'dgram' });
  });

  it('is the quick one where there is a binding that passes the test, and else dgram with the reason', async () => {
    const chosen = await chooseTransport('auto', signal);
    expect(chosen).toMatchObject(bindings.length > 0 ? { kind: 'batch' } : { kind: 'dgram', reason: found });
  });

  it('fails with the reason when the quick one is wanted and there is none', async () => {
    const failure = await chooseTransport('batch', signal, []).catch((error: unknown) => error);
    expect(hasCode(failure, 'config')).toBe(true);
    expect(String(failure)).toContain('Cannot speak DNS by dns.transport "batch": ');
  });

  it('tells for each binding why it cannot be loaded', async () => {
    const loaded = await loadLibc(['node:ffi']);
    if (typeof loaded === 'string') expect(loaded).toMatch(/^node:ffi: .+|not Linux|processor/);
    else await tryBatch(loaded, signal);
  });
});

describe.each(bindings)('the test of a batch by $name', (libc) => {
  it('passes on this machine', async () => {
    await tryBatch(libc, signal);
  });

  it('fails when an answer does not come back as it was sent', async () => {
    const stuck: Libc = {
      ...libc,
      sendmmsg(fd, messages, count, flags) {
        for (let n = 0; n < count; n += 1) libc.sendmmsg(fd, messages, 1, flags);
        return count;
      },
    };
    await expect(tryBatch(stuck, signal)).rejects.toThrow('an echo came back changed');
  });
});
