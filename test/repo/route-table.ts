import { routes } from '../../src/api/routes.ts';

/** Everything that the API can be asked, a line each: questions first. */
export function routeTable(): string {
  const inOrder = [
    ...routes.filter(({ method }) => method === 'GET'),
    ...routes.filter(({ method }) => method !== 'GET'),
  ];
  const rows = inOrder.map(({ method, path, role, summary }) => {
    const shown = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase());
    return `| \`${method} ${shown}\` | ${role === 'nobody' ? '-' : role} | ${summary} |`;
  });
  return ['', '| request | role | what it does |', '|---|---|---|', ...rows, ''].join('\n');
}
