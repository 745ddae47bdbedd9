import type { Draft } from './draft.ts';
import { type Cursor, port } from './reading.ts';

/** dhaf's notifiers: mail and Telegram. */
export function importNotifiers(notifiers: readonly Cursor[], draft: Draft): void {
  let n = 0;
  for (const notifier of notifiers) {
    const type = notifier.at('type').needText('email or tg').toLowerCase();
    if (type === 'email') importEmail(notifier, n, draft);
    else if (type === 'tg') importTelegram(notifier, n, draft);
    else {
      draft.left(
        notifier,
        `"${type}" is an extension of yours, in C#; write it again as a notifier of kind module or webhook (docs/your-own-kinds.md)`,
        true,
      );
      continue;
    }
    n += 1;
  }
}

function importEmail(from: Cursor, n: number, draft: Draft): void {
  const path = ['notify', n];
  draft.put([...path, 'kind'], 'email', from.at('type'));
  draft.put([...path, 'name'], from.at('name').text() ?? 'email-anon', from.at('name'));
  const smtp = from.at('smtp');
  draft.put([...path, 'smtp', 'server'], smtp.at('server').needText('the host of a mail server'), smtp.at('server'));
  if (!smtp.at('port').isThere) smtp.at('port').fault('missing: expected a port');
  draft.put([...path, 'smtp', 'port'], smtp.at('port').number(port), smtp.at('port'));
  const security = smtp.at('security').word(['ssl']);
  if (security !== undefined) draft.put([...path, 'smtp', 'security'], security, smtp.at('security'));
  if (smtp.at('username').isThere)
    draft.put([...path, 'smtp', 'username'], smtp.at('username').text(), smtp.at('username'));
  if (smtp.at('password').isThere) draft.secret([...path, 'smtp', 'password'], 'SMTP_PASSWORD', smtp.at('password'));
  for (const key of ['from', 'to']) draft.put([...path, key], from.at(key).needText('an address'), from.at(key));
  if (security === undefined && smtp.at('password').isThere)
    draft.differs(
      smtp,
      'a password is sent over TLS only (STARTTLS); a server without it needs security: none, in the clear',
    );
}

function importTelegram(from: Cursor, n: number, draft: Draft): void {
  const path = ['notify', n];
  draft.put([...path, 'kind'], 'telegram', from.at('type'));
  draft.put([...path, 'name'], from.at('name').text() ?? 'tg-anon', from.at('name'));
  for (const [key, to, variable] of [
    ['token', 'token', 'TELEGRAM_TOKEN'],
    ['join-code', 'joinCode', 'TELEGRAM_JOIN_CODE'],
  ] as const) {
    if (from.at(key).text() === undefined) from.at(key).fault('missing: expected a secret');
    draft.secret([...path, to], variable, from.at(key));
  }
  draft.differs(from, 'chats join anew: tell the bot `/start CODE` once hsdo runs');
}
