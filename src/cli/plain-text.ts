// What hsdo prints for people comes from targets, stores and other programs, too: nothing of it may move the cursor.

/** A control character, with the rest of what gives a text its colour where it begins that. */
const controls = /\p{Cc}(?:\[[\d;]*m)?/gu;
const beginsColor = '\u001b[';

/** The same with a question mark for every control character but line ends, and with the colours that we gave it. */
export const printable = (text: string): string =>
  text.replaceAll(controls, (found) =>
    found.startsWith(beginsColor) || found.startsWith('\n') ? found : `?${found.slice(1)}`,
  );

/** The same on one line. */
export const oneLine = (text: string): string => printable(text.replaceAll(/\s*[\n\r]+\s*/g, '; '));
