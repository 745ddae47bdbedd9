import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { dataOf } from '../fixtures/ask-dns.ts';
import { describeWith } from '../fixtures/component.ts';
import { freePort } from '../fixtures/ports.ts';
import { type Program, startProgram } from '../fixtures/program.ts';
import { until } from '../fixtures/until.ts';

const script = join(import.meta.dirname, '..', 'fixtures', 'dns-activated.ts');
const web = 'web.hsdo.test';
let running: Program | undefined;
afterEach(async () => {
  await running?.stop();
});

/** Lets systemd's own program open the sockets, and waits until it has; it starts ours with the first packet. */
async function activate(listen: readonly string[], transport: string): Promise<Program> {
  const environment = { PATH: process.env['PATH'], NO_COLOR: '1' };
  const command = [process.execPath, '--import', import.meta.resolve('tsx'), script, transport];
  const program = startProgram('systemd-socket-activate', [...listen, '-E', 'PATH', ...command], { env: environment });
  running = program;
  const wanted = listen.filter((word) => word === '-l').length;
  await until('its sockets', () => program.output().split('Listening on').length - 1 === wanted);
  return program;
}

const patient = ['+time=5', '+tries=6'];

describeWith(['systemd-socket-activate', 'dig'], 'sockets of systemd', () => {
  it.each(['auto', 'dgram'])('are answered on over UDP (%s), the packet that started us too', async (transport) => {
    const port = await freePort();
    const addresses = [`127.0.0.1:${port}`, `[::1]:${port}`];
    const program = await activate(['-d', ...addresses.flatMap((address) => ['-l', address])], transport);
    for (const host of ['127.0.0.1', '::1'])
      expect(await dataOf({ host, port }, web, 'A', patient)).toEqual(['10.0.0.1']);
    expect(program.stdout()).toContain(
      JSON.stringify({ addresses: addresses.map((address) => `udp ${address}`) }).slice(0, -1),
    );
    expect(await program.stop()).toBe(0);
  });

  it.each(['auto', 'dgram'])('are answered on over TCP (%s), and not lost when a thread dies', async (wanted) => {
    const port = await freePort();
    const place = { host: '127.0.0.1', port };
    const program = await activate(['-l', `127.0.0.1:${port}`], wanted);
    expect(await dataOf(place, web, 'A', [...patient, '+tcp'])).toEqual(['10.0.0.1']);
    const { transport } = JSON.parse(program.stdout()) as { readonly transport: string };
    program.signal('SIGUSR1');
    if (transport === 'batch') {
      await until('another thread', async () => (await dataOf(place, web, 'A', [...patient, '+tcp'])).length === 1);
      expect(await program.stop()).toBe(0);
    } else {
      // Node has closed the only descriptor: the process ends, and systemd starts it again with the sockets.
      expect(await program.exited).toBe(69);
      expect(program.stdout()).toContain(
        'the thread that answers DNS died: exit code 1, and the inherited sockets are closed',
      );
    }
  });
});
