import { html } from 'htm/preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { showEndpoint } from '../../model/endpoint.ts';
import type { Override } from '../../model/slot.ts';
import type { Content, Drawn } from './parts.ts';
import type { Deeds, Question, Scene } from './state.ts';

interface ModalProps {
  readonly title: string;
  readonly verb: string;
  readonly seen: Scene['seen'];
  readonly deeds: Deeds;
  readonly onSubmit: (form: FormData) => void;
  readonly children: Content;
}

/** A dialog with a form; Escape and Cancel close it, and the browser gives the focus back to where it was. */
function Modal({ title, verb, seen, deeds, onSubmit, children }: ModalProps): Drawn {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!seen.isBusy && event.target instanceof HTMLFormElement) onSubmit(new FormData(event.target));
  };
  const cancel = (event: Event) => {
    event.preventDefault();
    deeds.close();
  };
  return html`<dialog ref=${dialog} aria-labelledby="question" onCancel=${cancel}>
    <form onSubmit=${submit}>
      <h2 id="question">${title}</h2>
      ${children}
      ${seen.refusal === undefined ? null : html`<p class="warning" role="alert">${seen.refusal}</p>`}
      <div class="buttons">
        <button type="button" class="quiet" onClick=${deeds.close}>Cancel</button>
        <button type="submit" class="main" disabled=${seen.isBusy}>${seen.isBusy ? 'Asking' : verb}</button>
      </div>
    </form>
  </dialog>` as Drawn;
}

/** What was typed or chosen; there are no files here. */
function fieldOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}

const states: readonly (readonly [Override | 'none', string, string])[] = [
  ['drain', 'Drain', 'no new traffic; what runs may end'],
  ['maint', 'Maintenance', 'no traffic and no health checks in HAProxy'],
  ['ready', 'Ready', 'ends a drain or maintenance that somebody put on it in HAProxy'],
  ['none', 'Back to hsdo', 'no override; the checks alone decide'],
];

const option = (group: string, value: string, label: Content, about: Content, isChosen: boolean): Drawn =>
  html`<label class="option"><input type="radio" name=${group} value=${value} required defaultChecked=${isChosen} /><span><b>${label}</b><span class="small faint">${about}</span></span></label>`;

function targetQuestion(question: Extract<Question, { kind: 'target' }>, { seen, deeds }: Scene): Drawn {
  const { service, id, name, held } = question;
  const path = `services/${encodeURIComponent(service)}/overrides`;
  const submit = (form: FormData) => {
    const state = fieldOf(form, 'state');
    if (state === 'none')
      return deeds.wish({ method: 'DELETE', path: `${path}/${encodeURIComponent(id)}` }, `${name} goes back to hsdo`);
    return deeds.wish({ method: 'POST', path, body: { target: id, state } }, `${name} goes to ${state}`);
  };
  return html`<${Modal} title="Override ${name} of ${service}" verb="Set the override" seen=${seen} deeds=${deeds} onSubmit=${submit}>
    <fieldset><legend>Now: ${held ?? 'none'}. It is to be in</legend>
      ${states.filter(([state]) => state !== held).map(([state, label, about]) => option('state', state, label, about, false))}
    </fieldset>
  <//>` as Drawn;
}

function switchoverQuestion(question: Extract<Question, { kind: 'switchover' }>, { seen, deeds }: Scene): Drawn {
  const { service, candidates } = question;
  const submit = (form: FormData) => {
    const target = fieldOf(form, 'target');
    const name = candidates?.find(({ id }) => id === target)?.name ?? target;
    if (candidates?.length) {
      deeds.wish(
        { method: 'POST', path: `services/${encodeURIComponent(service)}/switchover`, body: { target } },
        `${service} switches over to ${name}`,
      );
    } else deeds.close();
  };
  const content =
    candidates === undefined
      ? html`<p class="loading">Asking who is up</p>`
      : candidates.length === 0
        ? html`<p>No other target of ${service} is up, so there is nothing to switch over to.</p>`
        : html`<p>Traffic moves there at once. It stays until you purge the switchover or the target goes down.</p>
            <fieldset><legend>${service} is to point at</legend>
              ${candidates.map((one, index) => option('target', one.id, one.name, `${showEndpoint(one.address, one.port)}, priority ${one.priority}`, index === 0))}
            </fieldset>`;
  const verb = candidates?.length ? 'Switch over' : 'Close';
  return html`<${Modal} title="Switch ${service} over" verb=${verb} seen=${seen} deeds=${deeds} onSubmit=${submit}>${content}<//>` as Drawn;
}

function tokenQuestion({ seen, deeds }: Scene): Drawn {
  const submit = (form: FormData) => deeds.useToken(fieldOf(form, 'token').trim());
  return html`<${Modal} title="A token, please" verb="Go on" seen=${seen} deeds=${deeds} onSubmit=${submit}>
    <p>This API is open to those who have a token of the block <code>api.tokens</code>. It is kept until this tab is closed.</p>
    <label class="field">Token <input name="token" type="password" autocomplete="off" required autofocus /></label>
  <//>` as Drawn;
}

/** The question that is open, if any. */
export function question(scene: Scene): Drawn | null {
  const { seen, deeds } = scene;
  const open = seen.question;
  if (open === undefined) return null;
  if (open.kind === 'token') return tokenQuestion(scene);
  if (open.kind === 'target') return targetQuestion(open, scene);
  if (open.kind === 'switchover') return switchoverQuestion(open, scene);
  const { title, text, verb, wish } = open;
  return html`<${Modal} title=${title} verb=${verb} seen=${seen} deeds=${deeds} onSubmit=${() => deeds.wish(wish, `${verb}: asked for`)}><p>${text}</p><//>` as Drawn;
}
