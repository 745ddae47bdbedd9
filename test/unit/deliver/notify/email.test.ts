import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createNotifier, notifierSchema } from '../../../../src/deliver/notify/notifiers.ts';
import { type Certificates, makeCertificates } from '../../../fixtures/certificates.ts';
import { describeWith } from '../../../fixtures/component.ts';
import { recordingLog } from '../../../fixtures/log.ts';
import { contextOf, event, never, noticeOf } from '../../../fixtures/notices.ts';
import { freePort } from '../../../fixtures/ports.ts';
import { type SmtpSink, startSmtpSink } from '../../../fixtures/smtp-sink.ts';

describeWith(['openssl'], 'mail', () => {
  let certificates: Certificates;
  let sink: SmtpSink | undefined;
  beforeAll(async () => {
    certificates = await makeCertificates();
  });
  afterAll(() => certificates.remove());
  afterEach(async () => {
    await sink?.stop();
    sink = undefined;
  });

  const open = async (options: Parameters<typeof startSmtpSink>[0] = {}) => {
    sink = await startSmtpSink(options);
    return sink;
  };
  const mailer = (smtp: object, options: object = {}, log = recordingLog()) => {
    const address = { from: 'hsdo <hsdo@example.org>', to: 'ops@example.org' };
    const config = { kind: 'email', smtp: { server: '127.0.0.1', ...smtp }, ...address, ...options };
    return createNotifier(notifierSchema.parse(config), contextOf({ log }));
  };
  const failure = (notifier: ReturnType<typeof mailer>, notice = noticeOf()) =>
    notifier.notify(notice, never).then(
      () => undefined,
      (error: unknown) => error,
    );

  it('reaches people with a subject, the events and a name that stays', async () => {
    const { port, mails } = await open();
    const notifier = mailer({ port }, { to: ['ops@example.org', 'Boss <boss@example.org>'] });
    await notifier.notify(noticeOf(), never);
    await notifier.notify(noticeOf(), never);
    const [one, two] = mails;
    expect(one).toMatchObject({ from: 'hsdo@example.org', to: ['ops@example.org', 'boss@example.org'] });
    expect(one?.raw).toMatch(/^Subject: \[hsdo\] ALERT web: the service is DOWN: no target is up\r$/m);
    expect(one?.raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(one?.raw).toMatch(/^2023-11-14 22:13:20 UTC {2}the service is DOWN: no target is up\r$/m);
    const id = /^Message-ID: (<[0-9a-f]{32}\.hsdo@example\.org>)\r$/im;
    expect(id.exec(one?.raw ?? '')?.[1]).toBeDefined();
    expect(id.exec(two?.raw ?? '')?.[1]).toBe(id.exec(one?.raw ?? '')?.[1]);
  });

  it('goes over STARTTLS with a login, and demands both where a password is sent', async () => {
    const { port, mails, logins } = await open({ tls: certificates.good, user: 'hsdo' });
    const login = { port, username: 'hsdo', password: 'right', ca: certificates.caFile };
    await mailer(login).notify(noticeOf(), never);
    expect(mails).toMatchObject([{ isSecure: true, user: 'hsdo' }]);
    expect(await failure(mailer({ ...login, password: 'wrong' }))).toMatchObject({ code: 'rejected' });
    expect(await failure(mailer({ port, username: 'hsdo', password: 'right' }))).toMatchObject({ code: 'unavailable' });
    await sink?.stop();
    const plain = await open({ user: 'hsdo' });
    expect(await failure(mailer({ ...login, port: plain.port }))).toMatchObject({ code: 'rejected' });
    expect(plain.logins).toEqual([]);
    expect(logins).toEqual(['hsdo:right', 'hsdo:wrong']);
    await mailer({ ...login, port: plain.port, security: 'none' }).notify(noticeOf(), never);
    expect(plain.mails).toHaveLength(1);
  });

  it('goes over a connection that begins with TLS', async () => {
    const { port, mails } = await open({ tls: certificates.good, secure: true });
    await mailer({ port, security: 'ssl', ca: certificates.caFile }).notify(noticeOf(), never);
    await mailer({ port, security: 'ssl', ignoreTlsErrors: true }).notify(noticeOf(), never);
    expect(mails.map(({ isSecure }) => isSecure)).toEqual([true, true]);
  });

  it('is tried again where the server says later, and not where it says never', async () => {
    const { port, refuse } = await open();
    refuse(() => 450);
    expect(await failure(mailer({ port }))).toMatchObject({ code: 'unavailable' });
    refuse(() => 550);
    expect(await failure(mailer({ port }))).toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('550'),
    });
    expect(await failure(mailer({ port: await freePort() }))).toMatchObject({ code: 'unavailable' });
    expect(await failure(mailer({ port, ca: '/nowhere.pem' }))).toMatchObject({ code: 'unavailable' });
  });

  it('does not go twice to those who have it, and does not wait for those who never will', async () => {
    const { port, refuse, mails } = await open();
    const log = recordingLog();
    const notifier = mailer({ port }, { to: ['a@example.org', 'b@example.org', 'c@example.org'] }, log);
    refuse((recipient) => (recipient.startsWith('b') ? 450 : recipient.startsWith('c') ? 550 : undefined));
    expect(await failure(notifier)).toMatchObject({ code: 'unavailable' });
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { refused: [expect.stringContaining('550')] } }]);
    refuse(() => undefined);
    await notifier.notify(noticeOf(), never);
    expect(mails.map(({ to }) => to)).toEqual([['a@example.org'], ['b@example.org']]);
  });

  it('has no header that a target or a service could write', async () => {
    const { port, mails } = await open();
    const title = 'web: x\r\nBcc: evil@example.org\r\n\r\nbody';
    await mailer({ port }).notify(noticeOf({ title, events: [event({ reason: 'y\r\n.\r\nQUIT' })] }), never);
    const [{ raw, to } = { raw: '', to: [] }] = mails;
    expect(to).toEqual(['ops@example.org']);
    expect(raw).not.toMatch(/^Bcc:/m);
    expect(raw).not.toMatch(/^QUIT/m);
  });

  it('ends with its signal', async () => {
    const { port } = await open();
    const controller = new AbortController();
    const sent = mailer({ port }).notify(noticeOf(), controller.signal);
    controller.abort(new Error('time is over'));
    await expect(sent).rejects.toThrow('time is over');
  });
});
