/** An address as people write and dial it: one of IPv6 in brackets where a port follows (RFC 3986 section 3.2.2). */
export function showEndpoint(address: string, port?: number): string {
  if (port === undefined) return address;
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
