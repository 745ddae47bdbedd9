import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import type { Refusal } from '../../src/model/target.ts';
import { systemClock } from '../../src/time/clock.ts';
import { describeWith } from '../fixtures/component.ts';
import { itemBytes, plainKeys } from '../fixtures/dynamodb.ts';
import { lead, listOf, publish, useHsdoTable } from '../fixtures/hsdo-table.ts';
import { show } from '../fixtures/lists.ts';
import { motoPrograms } from '../fixtures/moto.ts';

const never = new AbortController().signal;

describeWith(motoPrograms, "HSDO's table", () => {
  const stage = useHsdoTable();

  it('never shows half a round to readers while rounds go on', async () => {
    const [writer, ...readers] = [await stage.open(), await stage.open(), await stage.open()];
    const term = await lead(writer);
    let last = await publish(writer, undefined, listOf(12, 'r0'), term);
    let isOver = false;
    const torn: string[] = [];
    let reads = 0;
    const watching = readers.map(async ({ snapshots }) => {
      let before = 0;
      while (!isOver) {
        const found = await snapshots.read('web', never).catch((error: unknown) => {
          if ((error as { code?: string }).code !== 'unavailable') throw error;
        });
        if (!found) continue;
        reads += 1;
        const groups = new Set(found.slots.map((slot) => (slot.state === 'taken' ? slot.target.group : 'free')));
        if (groups.size !== 1 || !groups.has(`r${found.revision - 1}`))
          torn.push(`${found.revision}: ${[...groups].join()}`);
        if (found.revision < before) torn.push(`back from ${before} to ${found.revision}`);
        before = found.revision;
      }
    });
    let rounds = 0;
    // How many reads fit between the rounds is the machine's affair, so it goes on until there were enough of both.
    while (rounds < 300 || reads <= 50) {
      rounds += 1;
      last = await publish(writer, last, listOf(12, `r${rounds}`), term);
      // A writer that never rests would leave no time for a read, and less the busier the machine is; a leader writes
      // once in a round.
      await systemClock.sleep(reads * 6 < rounds ? 150 : 20, never);
    }
    isOver = true;
    await Promise.all(watching);
    console.log(`${reads} reads beside ${rounds} rounds, ${torn.length} of them torn`);
    expect(torn).toEqual([]);
    expect(reads).toBeGreaterThan(50);
    expect(last.revision).toBe(rounds + 1);
  });

  it('costs an idle client half a read unit per look, one small item', async () => {
    const [one, two] = [await stage.open(), await stage.open({ endpoint: stage.proxy.endpoint })];
    const unplaced = Array.from({ length: 2000 }, (_, n) => `target-without-a-slot-${n}`);
    const term = await lead(one);
    const first = await publish(one, undefined, { ...listOf(100), unplaced }, term);
    for (let n = 0; n < 10; n++) expect(await two.snapshots.revision('web', never)).toBe(first.revision);
    expect(stage.proxy.count('GetItem')).toBe(10);
    expect(stage.proxy.count('Scan') + stage.proxy.count('Query')).toBe(0);
    const bytes = itemBytes((await stage.itemOf(0)) ?? {});
    const all = (await stage.raw.send(new ScanCommand({ TableName: stage.name }))).Items ?? [];
    const scanned = all.reduce((sum, item) => sum + itemBytes(item), 0);
    const units = (size: number) => Math.ceil(size / 4096) / 2;
    console.log(
      `item 0 has ${bytes} bytes: ${units(bytes)} read units per look, ${units(bytes) * 3600} per hour at one look a second; a scan of 100 slots, ${scanned} bytes: ${units(scanned)} and ${units(scanned) * 3600}`,
    );
    expect(units(bytes)).toBe(0.5);
    const read = await two.snapshots.read('web', never);
    expect(read?.unplaced.at(-1)).toMatch(/^and \d+ more$/);
  });

  it('with rubbish in it is read as far as it goes, and every fault is told', async () => {
    await stage.python('server', {
      size: 3,
      servers: { 1: { ip: '10.0.0.1', name: 'i-01', asg: 'a', weight: 4, age: 10 } },
    });
    const hostile = (id: string, fields: Record<string, AttributeValue>) =>
      stage.putRaw({ BackendServerID: { N: id }, ...fields });
    await hostile('2', { IPAddress: { S: '10.0.0.2\nshutdown' }, ServerName: { S: 'i-02' } });
    await hostile('6', { IPAddress: { S: '10.0.0.6' }, ServerName: { S: 'x'.repeat(20_000) }, Weight: { BOOL: true } });
    await hostile('2.5', { IPAddress: { S: '10.0.0.9' } });
    await hostile('-3', { IPAddress: { S: '10.0.0.9' } });
    await hostile('123456789', { IPAddress: { S: '10.0.0.9' } });
    const refusals: Refusal[] = [];
    const one = await stage.open({ onRefusals: (found) => refusals.push(...found) });
    const found = await one.snapshots.read('web', never);
    expect(show(found?.slots ?? [])).toBe('1:i-01 2:- 3:- 4:- 5:- 6:10.0.0.6');
    expect(found?.slots[5]).toMatchObject({ weight: 1, target: { name: '10.0.0.6', group: 'none' } });
    expect(refusals.map(({ name }) => name).sort()).toEqual([
      'i-02',
      'item -3',
      'item 123456789',
      'item 2.5',
      expect.stringMatching(/^x+/),
    ]);

    const term = await lead(one);
    await publish(one, found, { ...listOf(3), service: 'web' }, term);
    await stage.putRaw({ BackendServerID: { N: '0' }, Revision: { S: 'seven' }, Epoch: { N: '1' } });
    for (const call of [
      one.snapshots.read('web', never),
      one.snapshots.revision('web', never),
      one.lease.read(never),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining('Revision is') });
    }
  });

  it('is for one service, and says so for another; a table of another kind is refused', async () => {
    const one = await stage.open();
    const other = one.snapshots.read('api', never);
    await expect(other).rejects.toMatchObject({ code: 'rejected', message: expect.stringContaining('of "web"') });
    await stage.renew(plainKeys);
    const wrong = await stage.open();
    await expect(wrong.snapshots.revision('web', never)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('with the key BackendServerID (N)'),
    });
  });
});
