/** By what they are views of. */
const views = new WeakMap<Uint8Array, DataView>();

/**
 * The view of bytes that are used again and again, such as those that a transport has replies written into. A number of
 * two or four bytes costs through a view what one byte costs without.
 */
export function viewOf(bytes: Uint8Array): DataView {
  const known = views.get(bytes);
  if (known !== undefined) return known;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  views.set(bytes, view);
  return view;
}
