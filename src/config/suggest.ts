import { z } from 'zod';
import type { Path } from './document.ts';

/** The parts of JSON Schema that tell which keys a map may have. */
interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
}

/** What a person may have meant by an unknown name: `; did you mean services?`, or nothing. */
export function suggestion(name: string, known: readonly string[]): string {
  const near = known.find((other) => isNear(name.toLowerCase(), other.toLowerCase()));
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** Keys that a schema allows at a path, of every kind where there are several kinds. */
export function keysAt(path: Path, schema: z.ZodType): readonly string[] {
  const whole = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Shape;
  const withKinds = (shape: Shape): readonly Shape[] => [shape, ...(shape.anyOf ?? []), ...(shape.oneOf ?? [])];
  let shapes = withKinds(whole);
  for (const key of path) {
    shapes = shapes.flatMap(({ items, properties }) => {
      const inner = typeof key === 'number' ? items : properties?.[key];
      return inner === undefined ? [] : withKinds(inner);
    });
  }
  return shapes.flatMap(({ properties }) => Object.keys(properties ?? {}));
}

/** True when at most two letters are changed, added, dropped: a slip of the fingers. */
function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 2) return false;
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  // Of a word of three letters two others are another word.
  return (row[b.length] ?? 9) <= (a.length <= 4 ? 1 : 2);
}
