/** One value of DynamoDB's JSON, such as `{"S": "web"}`. */
export type AttributeValue = Readonly<Record<string, unknown>>;
export type Item = Readonly<Record<string, AttributeValue>>;

const blockBytes = 4096;

const textBytes = (text: string) => Buffer.byteLength(text, 'utf8');

/** About a byte for two digits, and one more (Amazon DynamoDB Developer Guide, "item sizes and formats"). */
function numberBytes(text: string): number {
  const digits = text.replace(/[-.]/g, '').replace(/^0+|0+$/g, '').length;
  return Math.ceil(digits / 2) + 1 + (text.startsWith('-') ? 1 : 0);
}

function valueBytes(value: AttributeValue): number {
  const [type, content] = Object.entries(value)[0] ?? [];
  if (type === 'S') return textBytes(String(content));
  if (type === 'N') return numberBytes(String(content));
  if (type === 'BOOL' || type === 'NULL') return 1;
  throw new Error(`no size is known for an attribute of type ${String(type)}`);
}

/** The size that AWS charges for: names and values of all attributes. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + textBytes(name) + valueBytes(value), 0);
}

/**
 * Read units of one request: one for every 4 KB begun when it reads consistently, half of that otherwise. GetItem rounds
 * its item up, Scan and Query the sum of all that they read (Amazon DynamoDB Developer Guide, "read and write operations").
 *
 * @throws Error for an operation that is none of these.
 */
export function readUnits(operation: string, request: unknown, response: unknown): number {
  const { ConsistentRead = false } = request as { ConsistentRead?: boolean };
  const { Item: one, Items = [] } = response as { Item?: Item; Items?: readonly Item[] };
  if (operation !== 'GetItem' && operation !== 'Scan' && operation !== 'Query')
    throw new Error(`no read units are known for ${operation}`);
  const items = operation === 'GetItem' ? (one ? [one] : []) : Items;
  const bytes = items.reduce((sum, item) => sum + itemBytes(item), 0);
  return Math.max(1, Math.ceil(bytes / blockBytes)) * (ConsistentRead ? 1 : 0.5);
}
