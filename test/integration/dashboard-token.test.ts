import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Chromium, startChromium } from '../fixtures/browser.ts';
import { describeWith } from '../fixtures/component.ts';
import { type Hsdo, startHsdo } from '../fixtures/hsdo.ts';

describeWith(['chromium'], 'the dashboard of an API with tokens', () => {
  let browser: Chromium;
  let hsdo: Hsdo;
  beforeAll(async () => {
    const targets = [1, 2].map((n) => ({ id: `t${n}`, address: `127.0.7.${n}`, port: 80, priority: 10 - n }));
    const tokens = (['read', 'operate'] as const).map((role) => ({ name: role, role, token: `token-to-${role}` }));
    const services = [{ name: 'web', source: { kind: 'static', targets }, select: 'active-passive', size: 2 }];
    const started = startHsdo({ role: 'server', nodeId: 'one', config: { services, api: { tokens } } });
    [hsdo, browser] = await Promise.all([started, startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await hsdo?.remove();
  });

  it('asks for a token, refuses a wrong one in words, and hides from a reader what only operators may', async () => {
    const { page } = await browser.show(`${hsdo.api}/#/service/web`);
    const enter = async (token: string) => {
      await page.getByRole('textbox', { name: 'Token' }).fill(token);
      await page.keyboard.press('Enter');
    };
    await page.getByRole('dialog', { name: 'A token, please' }).waitFor();
    await enter('guessed-by-somebody');
    await page.getByRole('alert').getByText('the token is wrong').waitFor();
    const told = page.waitForResponse((answer) => answer.url().includes('/api/v1/audit'));
    await enter('token-to-read');
    await page.getByRole('table', { name: 'Slots of web' }).waitFor();
    expect((await told).status()).toBe(403);
    expect(await page.getByRole('button', { name: /Switch over|Change/ }).count()).toBe(0);
    await page.reload();
    await page.getByRole('table', { name: 'Slots of web' }).waitFor();
    await page.getByRole('button', { name: 'Forget the token' }).click();
    await enter('token-to-operate');
    await page.getByRole('button', { name: 'Switch over' }).waitFor();
    expect(await page.getByRole('button', { name: /Change/ }).count()).toBe(2);
    expect(await page.evaluate('document.cookie + JSON.stringify(localStorage)')).toBe('{}');
    await page.context().close();
  });

  it('weighs less than 150 kB, compressed', async () => {
    const bytes = async (path: string) => {
      const answer = await fetch(`${hsdo.api}/${path}`, { headers: { 'accept-encoding': 'gzip' } });
      expect([path, answer.status, answer.headers.get('content-encoding')]).toEqual([path, 200, 'gzip']);
      return { text: await answer.text(), size: Number(answer.headers.get('content-length')) };
    };
    const { text, size } = await bytes('');
    const assets = [...text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(assets.length).toBeGreaterThanOrEqual(3);
    const sizes = await Promise.all(assets.map(async (path) => (await bytes(path)).size));
    const total = size + sizes.reduce((sum, one) => sum + one, 0);
    expect(total).toBeGreaterThan(5000);
    expect(total).toBeLessThan(150_000);
  });
});
