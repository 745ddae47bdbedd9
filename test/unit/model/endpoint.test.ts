import { describe, expect, it } from 'vitest';
import { showEndpoint } from '../../../src/model/endpoint.ts';

describe('an address as people dial it', () => {
  it('stands in brackets before a port where it is of IPv6, and only there', () => {
    expect(showEndpoint('::1', 80)).toBe('[::1]:80');
    expect(showEndpoint('::1')).toBe('::1');
    expect(showEndpoint('10.0.0.1', 80)).toBe('10.0.0.1:80');
    expect(showEndpoint('db.example.org', 5432)).toBe('db.example.org:5432');
  });
});
