import { consulStoreSchema } from '../../src/store/consul.ts';
import { etcdSchema } from '../../src/store/etcd.ts';
import { meaningIn, shown, table } from './option-tables.ts';

const tls: Readonly<Record<string, string>> = {
  'tls.ca': 'file with the certificates (PEM) of who may sign those of the endpoints; else the usual authorities',
  'tls.cert': 'file with the certificate that hsdo shows; needs `tls.key`',
  'tls.key': 'file with its key',
  'tls.serverName': 'the name that every certificate must bear, instead of that of the endpoint',
};

/** What each option of these stores means, in the words of docs/stores.md. */
const meanings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  etcd: {
    endpoints: 'members of one cluster, asked in turn: a list, or one text with commas; `https://` or `tls` for TLS',
    hosts: 'the same, as dhaf calls it',
    username: 'who logs in; needs `password`',
    password: 'also `{ env: NAME }` or `{ file: PATH }`',
    ...tls,
    prefix: 'before every key; keeps several clusters of hsdo in one etcd apart',
    requestTimeoutMs: 'limit of one request to one endpoint',
  },
  consul: {
    endpoints: 'agents of one datacenter, asked in turn: a list, or one text with commas; `https://` or `tls` for TLS',
    url: 'the same; most have one agent, on the same machine',
    token: 'needs `key_prefix "hsdo/" { policy = "write" }`; also `{ env: NAME }` or `{ file: PATH }`',
    datacenter: 'else that of the agent',
    ...tls,
    prefix: 'before every key; keeps several clusters of hsdo in one Consul apart',
    requestTimeoutMs: 'limit of one request to one agent',
  },
};

/** The options of the stores that need more than a name or a path. */
export function storeTable(): string {
  const etcd = etcdSchema.parse({ kind: 'etcd', endpoints: 'one:2379' });
  const consul = consulStoreSchema.parse({ kind: 'consul' });
  const rows = [
    { kind: 'etcd', shape: etcdSchema.shape, parsed: { ...etcd, endpoints: undefined } },
    { kind: 'consul', shape: consulStoreSchema.shape, parsed: { ...consul, url: ['http://127.0.0.1:8500'] } },
  ].flatMap(({ kind, shape, parsed }) => {
    const names = Object.keys(shape).filter((name) => name !== 'kind');
    return names
      .flatMap((name) => (name === 'tls' ? Object.keys(tls) : [name]))
      .map((name) => {
        const usual = kind === 'etcd' && name === 'endpoints' ? 'required' : shown(parsed[name as keyof typeof parsed]);
        return [kind, `\`${name}\``, usual, meaningIn(meanings[kind], name)];
      });
  });
  return table(['store', 'option', 'default', 'meaning'], rows);
}
