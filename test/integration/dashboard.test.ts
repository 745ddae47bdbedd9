import type { Route } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chromium, type Shown, startChromium } from '../fixtures/browser.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Haproxy, startHaproxy } from '../fixtures/haproxy.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';
import { startTargets, type TestTarget } from '../fixtures/targets.ts';
import { until } from '../fixtures/until.ts';

/** The name of a file that would be a picture and run a script, were it ever taken for HTML. */
const hostile = '<img src=x onerror=document.title=1>';
const text = (shown: Shown) => shown.page.locator('body').innerText();

describeWith(['chromium', 'haproxy'], 'the dashboard in a browser', () => {
  let browser: Chromium;
  let haproxy: Haproxy;
  let hsdo: Hsdo;
  let client: Hsdo;
  let targets: TestTarget[];
  const written = () =>
    targets.map(({ id, address, port }, n) => ({ id, name: `web-${n + 1}`, address, port, priority: 30 - n }));

  beforeAll(async () => {
    [haproxy, targets, browser] = await Promise.all([startHaproxy(), startTargets(3), startChromium()]);
    const check = { kind: 'http', path: '/health', intervalSeconds: 0.1, timeoutSeconds: 0.5, rise: 1, fall: 2 };
    const { socketPath, stateFile } = haproxy;
    const backends = [{ name: 'web', baseName: 'web' }];
    const source = { kind: 'static', targets: written() };
    const odd = { kind: 'file', path: `/nowhere/${hostile}` };
    const web = { name: 'web', source, check, size: 5 };
    const db = { name: 'db', source, check, select: 'active-passive', size: 4 };
    const cluster = { name: 'harbour', leaseTtlSeconds: 2, heartbeatSeconds: 0.2, nodeTtlSeconds: 1 };
    const services = [web, db, { name: 'odd', source: odd, size: 2 }];
    hsdo = await startHsdo({ role: 'server', nodeId: 'one', config: { services, cluster, intervalSeconds: 0.1 } });
    const kept = { ...web, haproxy: { sockets: [socketPath], stateFile, backends } };
    const store = { kind: 'sqlite', path: `${hsdo.folder}/state/hsdo.db` };
    client = await startHsdo({ role: 'client', nodeId: 'gate', config: { services: [kept], store } });
    await until('web is served', async () => (await hsdo.status()).services[0]?.verdicts?.up === 3);
  });
  afterAll(async () => {
    await browser?.close();
    await client?.remove();
    await hsdo?.remove();
    await haproxy?.stop();
    for (const target of targets ?? []) await target.stop();
  });

  it('shows services at a glance and follows a target down and up, takes what it is told for text, and asks nobody else', async () => {
    const shown = await browser.show(hsdo.api);
    const { page } = shown;
    await page.getByText('live', { exact: true }).waitFor();
    expect(await page.title()).toBe('(1) harbour - hsdo');
    const card = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'web', exact: true }) });
    await card.getByText('3 up').waitFor();
    await page.getByText(hostile).first().waitFor();
    expect(await page.locator('img').count()).toBe(0);
    targets[2]?.setHealthy(false);
    await card.getByText('1 down').waitFor();
    await page.getByText('web-3 of web is down').first().waitFor();
    await page.getByRole('link', { name: 'web', exact: true }).click();
    const row = page.getByRole('row').filter({ hasText: 'web-3' });
    await row.getByText('takes no traffic while down').waitFor();
    expect(await row.innerText()).toContain('down (status)');
    targets[2]?.setHealthy(true);
    await row.getByText('down (status)').waitFor({ state: 'detached' });
    const first = page.getByRole('row').filter({ hasText: 'web-1' });
    await first.getByText('as wanted').waitFor();
    expect(await first.innerText()).toMatch(/one up [\d.]+ ms/);
    await first.getByRole('img', { name: /^last 15 minutes: / }).waitFor();
    expect(shown.asked.filter((url) => !url.startsWith(`${hsdo.api}/`))).toEqual([]);
    expect(shown.faults).toEqual([]);
    await page.context().close();
  });

  it('is readable on a phone, in light and dark, by keyboard and by who hears it', async () => {
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 320],
    ] as const) {
      const shown = await browser.show(`${hsdo.api}/#/service/db`, { colorScheme, viewport: { width, height: 700 } });
      await shown.page.getByRole('table', { name: 'Slots of db' }).waitFor();
      await shown.page.getByRole('button', { name: 'Switch over' }).waitFor();
      expect([width, await shown.accessibilityFaults(), await shown.overflow()]).toEqual([width, [], 0]);
      await shown.page.getByRole('link', { name: 'hsdo, all services' }).click();
      await shown.page.getByRole('heading', { name: 'Services', exact: true }).waitFor();
      expect([width, width === 320 ? await shown.accessibilityFaults() : [], await shown.overflow()]).toEqual([
        width,
        [],
        0,
      ]);
      expect(shown.faults).toEqual([]);
      await shown.page.context().close();
    }
  });

  it('switches over by keyboard alone and after a question, and purges that again', async () => {
    const { page } = await browser.show(`${hsdo.api}/#/service/db`);
    const active = async () => (await hsdo.status()).services.find(({ name }) => name === 'db')?.activeName;
    const button = page.getByRole('button', { name: 'Switch over' });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('radio', { name: /^web-2/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Switch over');
    expect(await active()).toBe('web-1');

    await page.keyboard.press('Enter');
    await page.getByRole('radio', { name: /^web-3/ }).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
    await until('db points at web-3', async () => (await active()) === 'web-3');
    await page.getByRole('row').filter({ hasText: 'web-3' }).getByText('active', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Purge the switchover' }).click();
    await page.getByRole('button', { name: 'Purge', exact: true }).click();
    await page.getByText('The switchover of db to web-3 has ended').first().waitFor();
    await page.getByRole('button', { name: 'Purge the switchover' }).waitFor({ state: 'detached' });
    await page.getByText('(ended: purged)').waitFor();
    await page.context().close();
  });

  it('overrides a target, which HAProxy then has so, and gives it back', async () => {
    const { page } = await browser.show(`${hsdo.api}/#/service/web`);
    const row = page.getByRole('row').filter({ hasText: 'web-2' });
    const change = async (option: RegExp) => {
      await row.getByRole('button', { name: 'Change the override of web-2' }).click();
      await page.getByRole('radio', { name: option }).check();
      await page.getByRole('button', { name: 'Set the override' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await change(/^Maintenance/);
    await row.getByText(/maint by /).waitFor();
    await until('HAProxy has it in maintenance', async () => (await haproxy.ask('show stat')).includes('MAINT'));
    await change(/^Back to hsdo/);
    await row.getByText(/maint by /).waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('asks again and again where no stream can be had, and says while nothing has come yet', async () => {
    const { page } = await browser.show(`${hsdo.api}/`);
    await page.route('**/api/v1/stream*', async (route) => {
      const isStream = route.request().headers()['accept'] === 'text/event-stream';
      await (isStream ? route.fulfill({ status: 503, body: '{"error":"64 watch already"}' }) : route.continue());
    });
    await page.reload();
    await page.getByText('asking every 2 s').waitFor();
    await page.getByRole('link', { name: 'db', exact: true }).waitFor();
    await page.unroute('**/api/v1/stream*');
    await page.route('**/api/v1/stream*', () => undefined);
    await page.reload();
    await page.getByText('connecting').waitFor();
    expect(await page.locator('[aria-busy=true]').count()).toBe(1);
    await page.context().close();
  });

  it('says of a service that is not there just that, and goes on with the others', async () => {
    const { page } = await browser.show(`${hsdo.api}/#/service/gone`);
    await page.getByText('No service is called gone.').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('link', { name: '← All services' }).click();
    await page.getByRole('link', { name: 'db', exact: true }).waitFor();
    await page.context().close();
  });

  it('takes no late answer for one to the question that is open now', async () => {
    const { page } = await browser.show(`${hsdo.api}/#/service/db`);
    const held: Route[] = [];
    for (const late of ['**/candidates', '**/overrides']) await page.route(late, (route) => void held.push(route));
    const answer = async (status: number, body: object) => {
      await until('it was asked', async () => held.length === 1);
      await held.pop()?.fulfill({ status, json: body });
    };
    const openFirst = () => page.getByRole('button', { name: 'Change the override of web-1' }).click();
    await page.getByRole('button', { name: 'Switch over' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await openFirst();
    await answer(503, { error: 'the store is away' });
    await page.getByRole('radio', { name: /Drain/ }).check();
    await page.getByRole('button', { name: 'Set the override' }).click();
    expect(await page.getByRole('dialog').innerText()).not.toContain('the store is away');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Change the override of web-2' }).click();
    await answer(409, { error: 'the target is gone' });
    await page.getByText('the target is gone').first().waitFor({ state: 'attached' });
    expect(await page.getByRole('dialog').innerText()).toContain('Override web-2 of db');
    expect(await page.getByRole('dialog').innerText()).not.toContain('the target is gone');
    await page.context().close();
  });

  it('says that it is cut off and since when, and goes on by itself', async () => {
    const shown = await browser.show(hsdo.api);
    await shown.page.getByText('live', { exact: true }).waitFor();
    hsdo.pause();
    try {
      await shown.page.getByText(/disconnected, last seen \d+ s ago/).waitFor();
      expect(await text(shown)).toMatch(/What you see is \d+ s old/);
      expect(await shown.page.locator('.stale').count()).toBe(1);
    } finally {
      hsdo.resume();
    }
    await shown.page.getByText('live', { exact: true }).waitFor();
    expect(await shown.page.locator('.stale').count()).toBe(0);
    await shown.page.context().close();
  });
});
