import { html } from 'htm/preact';
import type { ComponentChildren, VNode } from 'preact';
import { type Line, lineOf, type Point, plotSentence, stretchesOf } from './plot.ts';
import { since, type Tone } from './words.ts';

export type Drawn = VNode | VNode[];
/** What may stand in a view; text is escaped by the library, and nothing here is ever taken for HTML. */
export type Content = ComponentChildren;

const marks: Readonly<Record<Tone, string>> = { good: '●', bad: '▲', doubtful: '◆', calm: '○' };

/** A word with a colour and a mark of its own, so that neither is needed to tell it from others. */
export const badge = (text: string, tone: Tone): Drawn =>
  html`<span class="badge ${tone}"><span class="mark" aria-hidden="true">${marks[tone]}</span><span>${text}</span></span>`;

/** How long ago something was, with the moment itself at hand. */
export function ago(now: number, at: number | undefined): Drawn {
  if (at === undefined) return html`<span class="faint">never</span>`;
  const moment = new Date(at);
  return html`<time datetime=${moment.toISOString()} title=${moment.toLocaleString()}>${since(now - at)}</time>`;
}

/** A name and what it is. */
export const fact = (name: string, content: Content): Drawn =>
  html`<div class="fact"><dt>${name}</dt><dd>${content}</dd></div>`;

/** A part of the page with a heading that names it. */
export const section = (id: string, title: string, content: Content, beside?: Content): Drawn =>
  html`<section aria-labelledby="${id}-title" class="section" id=${id}>
    <div class="section-head"><h2 id="${id}-title">${title}</h2>${beside}</div>
    ${content}
  </section>`;

/** What stands where there is nothing to show, and why that may be. */
export const empty = (text: string, more?: Content): Drawn =>
  html`<div class="empty"><p>${text}</p>${more === undefined ? null : html`<p class="faint">${more}</p>`}</div>`;

export interface Column {
  readonly title: string;
  /** A number stands at the right. */
  readonly isNumber?: true;
}

/** A table that becomes a list of cards where it is narrow; the roles keep it a table for those who hear it. */
export function table(
  label: string,
  columns: readonly Column[],
  rows: readonly { readonly key: string; readonly isOff?: boolean; readonly cells: readonly Content[] }[],
): Drawn {
  return html`<table role="table" aria-label=${label}>
    <thead role="rowgroup"><tr role="row">
      ${columns.map(({ title, isNumber }) => html`<th role="columnheader" scope="col" class=${isNumber ? 'number' : ''}>${title}</th>`)}
    </tr></thead>
    <tbody role="rowgroup">
      ${rows.map(
        ({ key, isOff, cells }) => html`<tr role="row" key=${key} class=${isOff ? 'off' : ''}>
          ${cells.map((cell, index) => {
            const { title = '', isNumber } = columns[index] ?? {};
            return index === 0
              ? html`<th role="rowheader" scope="row" data-title=${title}><div>${cell}</div></th>`
              : html`<td role="cell" data-title=${title} class=${isNumber ? 'number' : ''}><div>${cell}</div></td>`;
          })}
        </tr>`,
      )}
    </tbody>
  </table>`;
}

const [plotWidth, plotHeight, stripHeight] = [120, 26, 4];

/** A line over fifteen minutes, with a strip of health below it where there is one. */
export function plot(points: readonly Point[], health: string, unit: (value: number) => string): Drawn {
  const { path, highest }: Line = lineOf(points, plotWidth, plotHeight - 2);
  const step = plotWidth / Math.max(1, health.length);
  const bottom = plotHeight + (health === '' ? 0 : stripHeight + 2);
  return html`<span class="plot">
    <svg role="img" aria-label=${plotSentence(health, points, unit)} viewBox="0 0 ${plotWidth} ${bottom}" preserveAspectRatio="none">
      <line class="ground" x1="0" x2=${plotWidth} y1=${plotHeight} y2=${plotHeight} />
      <path class="line" d=${path} transform="translate(0 1)" />
      ${stretchesOf(health).map(
        (one) =>
          html`<rect class="strip-${one.health === '-' ? 'unknown' : one.health}" x=${one.from * step} y=${plotHeight + 2} width=${one.steps * step} height=${stripHeight} />`,
      )}
    </svg>
    ${highest > 0 ? html`<span class="scale" aria-hidden="true">max ${unit(highest)}</span>` : null}
  </span>`;
}
