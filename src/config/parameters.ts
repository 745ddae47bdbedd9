import { boolean, decimal, type Format, integer, mapping, names, oneOf, seconds, text } from './formats.ts';

/** One flat parameter: in the environment or at the top level of the file. */
export interface Parameter {
  readonly name: string;
  /** Later names of upstream HSDO for the same thing. */
  readonly aliases: readonly string[];
  readonly format: Format;
  /** Shown in the reference; `undefined` means not set. */
  readonly default: unknown;
  /** `service` parameters together describe one service and exclude a `services:` list. */
  readonly scope: 'service' | 'process';
  readonly doc: string;
}

const parameter =
  (scope: Parameter['scope']) =>
  (name: string, format: Format, fallback: unknown, doc: string, ...aliases: string[]): Parameter => ({
    name,
    aliases,
    format,
    default: fallback,
    scope,
    doc,
  });
const service = parameter('service');
const wide = parameter('process');

/** HSDO's parameters under their names and defaults, then hsdo's own that a deployment by environment alone needs. */
export const parameters: readonly Parameter[] = [
  service('SERVER_MODE', oneOf('aws', 'consul', 'file', 'dns'), undefined, 'Where targets come from'),
  service('SERVER_ASG_NAMES', names, undefined, 'Auto Scaling groups, by comma (mode aws)'),
  service('CONSUL_API_URL', text, undefined, 'Address of the Consul agent (mode consul)', 'SERVER_CONSUL_API_URL'),
  service(
    'CONSUL_SERVICE_NAME',
    names,
    undefined,
    'Consul services, by comma (mode consul)',
    'SERVER_CONSUL_SERVICE_NAME',
  ),
  service(
    'HAPROXY_BACKEND_SERVER_MIN_WEIGHT',
    integer(0, 256),
    1,
    'Weight of a new target',
    'SERVER_HAPROXY_BACKEND_SERVER_MIN_WEIGHT',
  ),
  service(
    'HAPROXY_BACKEND_SERVER_MAX_WEIGHT',
    integer(1, 256),
    10,
    'Weight at the end of the ramp',
    'SERVER_HAPROXY_BACKEND_SERVER_MAX_WEIGHT',
  ),
  service(
    'HAPROXY_BACKEND_SERVER_INCREASE_WEIGHT',
    integer(1, 256),
    1,
    'Added to the weight after every interval',
    'SERVER_HAPROXY_BACKEND_SERVER_INCREASE_WEIGHT',
  ),
  service(
    'HAPROXY_BACKEND_SERVER_INCREASE_WEIGHT_INTERVAL',
    seconds,
    30,
    'Seconds between two steps of the ramp',
    'SERVER_HAPROXY_BACKEND_SERVER_INCREASE_WEIGHT_INTERVAL',
  ),
  service('CLIENT_ASG_NAMES', names, undefined, 'Groups whose targets belong into the primary backend'),
  service(
    'HAPROXY_SOCKET_PATH',
    names,
    ['/var/run/haproxy/admin.sock'],
    'Runtime API sockets, by comma: a path or host:port',
    'CLIENT_HAPROXY_SOCKET_PATH',
  ),
  service('HAPROXY_BACKEND_NAME', text, undefined, 'Backend in HAProxy', 'CLIENT_HAPROXY_BACKEND_NAME'),
  service(
    'HAPROXY_BACKEND_BASE_NAME',
    text,
    undefined,
    'Prefix of its server-template',
    'CLIENT_HAPROXY_BACKEND_BASE_NAME',
  ),
  service(
    'HAPROXY_FALLBACK_BACKEND_NAME',
    text,
    undefined,
    'Backend for targets of all other groups',
    'CLIENT_HAPROXY_FALLBACK_BACKEND_NAME',
  ),
  service(
    'HAPROXY_FALLBACK_BACKEND_BASE_NAME',
    text,
    undefined,
    'Prefix of its server-template',
    'CLIENT_HAPROXY_FALLBACK_BACKEND_BASE_NAME',
  ),
  service(
    'HAPROXY_BACKEND_SERVER_PORT',
    integer(1, 65_535),
    80,
    'Port of the targets; where it is not set, a port that the source reports comes first',
    'CLIENT_HAPROXY_BACKEND_SERVER_PORT',
  ),
  service('CLIENT_HAPROXY_BACKEND_LIST', mapping, undefined, 'Several backends: {backend: {baseName, serverPort}}'),
  service(
    'AZ_LIMITER',
    boolean,
    false,
    'Targets outside CLIENT_ASG_NAMES go to the fallback backend',
    'CLIENT_DEDICATED_ASG',
  ),
  service(
    'ALL_SERVERS_IN_FALLBACK_BACKEND',
    boolean,
    false,
    'The fallback backend gets the primary targets too',
    'CLIENT_ALL_SERVERS_IN_FALLBACK_BACKEND',
  ),
  service('HAPROXY_BACKEND_SERVERS_LIST_SIZE', integer(1, 6000), 10, 'Number of slots'),
  service('CLIENT_USE_MANAGED_WEIGHTS_BY_HSDO', boolean, true, 'False leaves the weights in HAProxy alone'),
  wide('INTERVAL', decimal(0.05, 3600), 1, 'Seconds between two looks at sources and store'),
  wide('DEBUG', boolean, false, 'Logs every decision'),
  wide('DYNAMODB_TABLE_NAME', text, undefined, "HSDO's table; where it is not set, the embedded store is used"),
  wide('AWS_DEFAULT_REGION', text, undefined, 'Region of Auto Scaling, EC2 and DynamoDB'),
  wide('AWS_PROFILE', text, undefined, 'Profile of the AWS credentials'),
  wide('EXPORTER_PORT', integer(0, 65_535), 6789, 'Port of the Prometheus exporter'),

  service('SERVICE_NAME', text, 'default', 'Name of the service that the flat parameters describe'),
  service('SERVER_FILE_PATH', text, undefined, 'File with the targets (mode file)'),
  service('SERVER_DNS_NAMES', names, undefined, 'Names to resolve, by comma (mode dns)'),
  service('CONSUL_TOKEN', text, undefined, 'ACL token (mode consul)'),
  service('CONSUL_DATACENTER', text, undefined, 'Datacenter (mode consul)'),
  service('CONSUL_TAGS', names, undefined, 'Only instances with all these tags (mode consul)'),
  service(
    'HAPROXY_BACKEND_SERVER_FIRST_WEIGHT',
    oneOf('max', 'min'),
    'max',
    'Weight of the targets of the very first list',
  ),
  service('HAPROXY_BACKEND_SERVER_DRAIN_SECONDS', decimal(0, 86_400), 30, 'How long a slot drains before it is free'),
  service('HAPROXY_STATE_FILE', text, undefined, 'server-state file that the client keeps for HAProxy reloads'),
  service('GUARD_MAX_REMOVE_SHARE', decimal(0, 1), 0.5, 'Largest share of the targets that may leave unconfirmed'),
  service(
    'GUARD_CONFIRM_READS',
    integer(0, 1_000_000),
    30,
    'Consecutive reads that confirm a larger removal; 0: an operator only',
  ),
  wide(
    'DYNAMODB_STORE_TABLE_NAME',
    text,
    undefined,
    'Second table, with string keys: overrides, several services, reports',
  ),
  wide('STORE_PATH', text, undefined, 'File of the embedded store'),
  wide('STATE_DIRECTORY', text, undefined, 'Folder for the embedded store and what a client remembers'),
  wide('NODE_ID', text, undefined, 'Name of this process among its peers'),
  wide('LEASE_TTL', decimal(0.5, 3600), 10, 'Seconds after which a silent leader is replaced'),
  wide('API_LISTEN', text, undefined, 'Address of the API, or off; a server alone has one by default: 127.0.0.1:8128'),
  wide('API_TOKEN', text, undefined, 'Token that the API demands'),
  wide('EXPORTER_TOKEN', text, undefined, 'Token that the exporter demands for all but /healthz and /readyz'),
];
