import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '@cdktf/hcl2json';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { rightsOf } from './aws-calls.ts';

const root = join(import.meta.dirname, '..', '..');

const statement = z.object({ actions: z.array(z.string()), resources: z.union([z.string(), z.array(z.string())]) });
const policy = z.object({
  statement: z.array(statement),
  dynamic: z.object({ statement: z.array(z.object({ content: z.array(statement) })) }).optional(),
});
const table = z.object({
  name: z.string(),
  hash_key: z.string(),
  range_key: z.string().optional(),
  attribute: z.array(z.object({ name: z.string(), type: z.string() })),
});
const output = z.array(z.object({ value: z.string() }));

async function readHcl(name: string): Promise<unknown> {
  return parse(name, readFileSync(join(root, 'terraform', name), 'utf8'));
}

const main = z
  .object({
    locals: z.array(z.object({ table_name: z.string(), tags: z.record(z.string(), z.string()) })),
    resource: z.object({ aws_dynamodb_table: z.record(z.string(), z.array(table)) }),
  })
  .parse(await readHcl('main.tf'));
const iam = z
  .object({ data: z.object({ aws_iam_policy_document: z.record(z.string(), z.array(policy)) }) })
  .parse(await readHcl('iam.tf'));
const outputs = z.object({ output: z.record(z.string(), output) }).parse(await readHcl('outputs.tf')).output;
const variables = z
  .object({ variable: z.record(z.string(), z.array(z.object({ default: z.unknown().optional() }))) })
  .parse(await readHcl('variables.tf')).variable;

function statementsOf(name: string): z.infer<typeof statement>[] {
  const documents = iam.data.aws_iam_policy_document[name] ?? [];
  return documents.flatMap((document) => [
    ...document.statement,
    ...(document.dynamic?.statement ?? []).flatMap(({ content }) => content),
  ]);
}

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file: `src/${file}`, text: readFileSync(join(root, 'src', file), 'utf8') }));

const needed = rightsOf(sources);

describe('the Terraform module', () => {
  it("makes HSDO's table: its name, its numeric key, its capacity and its tags", () => {
    const [hsdo] = main.resource.aws_dynamodb_table['service_discovery_orchestrator_table'] ?? [];
    expect(hsdo).toMatchObject({ name: `\${local.table_name}`, hash_key: 'BackendServerID' });
    expect(hsdo?.attribute).toEqual([{ name: 'BackendServerID', type: 'N' }]);
    expect(main.locals[0]?.table_name).toBe(`\${var.project}-service-discovery-orchestrator`);
    expect(Object.keys(main.locals[0]?.tags ?? {}).sort()).toEqual([
      'customer',
      'product_line',
      'project',
      'team',
      'tenant',
    ]);
    const defaults = Object.fromEntries(Object.entries(variables).map(([name, [one]]) => [name, one?.default]));
    expect(defaults).toMatchObject({
      billing_mode: 'PROVISIONED',
      read_capacity: 20,
      write_capacity: 20,
      store_table: false,
    });
    expect(defaults['project']).toBeUndefined();
  });

  it('makes the second table with the keys that the plain store uses', () => {
    const [store] = main.resource.aws_dynamodb_table['store'] ?? [];
    expect(store).toMatchObject({ hash_key: 'Scope', range_key: 'Key' });
    expect(store?.attribute).toEqual([
      { name: 'Scope', type: 'S' },
      { name: 'Key', type: 'S' },
    ]);
  });

  it('gives the server a right for every call in src', () => {
    const given = statementsOf('server').flatMap(({ actions }) => actions);
    expect(needed.length).toBeGreaterThan(0);
    expect(given).toEqual(expect.arrayContaining(needed));
  });

  it('gives nobody a right that no call in src needs', () => {
    const given = ['server', 'client'].flatMap((name) => statementsOf(name).flatMap(({ actions }) => actions));
    expect(given.filter((action) => !needed.includes(action))).toEqual([]);
  });

  it("lets a client read, write only in the second table, and never touch HSDO's", () => {
    const isRead = (action: string) => /^dynamodb:(Get|Query|Scan|Describe)/.test(action);
    const reads = statementsOf('client').filter(({ actions }) => actions.every(isRead));
    expect(reads.flatMap(({ actions }) => actions)).toEqual(needed.filter(isRead));
    const writes = statementsOf('client').filter(({ actions }) => !actions.every(isRead));
    expect(writes).toEqual([{ actions: ['dynamodb:PutItem'], resources: `\${local.store_table_arns}` }]);
  });

  it('names tables as resources wherever AWS allows it', () => {
    const open = [...statementsOf('server'), ...statementsOf('client')].filter(({ resources }) =>
      resources.includes('*'),
    );
    expect(open.map(({ actions }) => actions)).toEqual([
      ['autoscaling:DescribeAutoScalingGroups', 'ec2:DescribeInstances'],
    ]);
  });

  it('puts out what the configuration of hsdo and its roles need', () => {
    const names = ['client', 'server'].flatMap((role) => [`${role}_policy_arn`, `${role}_policy_json`]);
    const tables = ['store_table_arn', 'store_table_name', 'table_arn', 'table_name'];
    expect(Object.keys(outputs).sort()).toEqual([...names, ...tables].sort());
  });
});

describe('the reader of AWS calls', () => {
  it('sees plain commands, paginators and what a transaction holds, wherever that is put together', () => {
    const sending = `await client.send(new there.sdk.GetItemCommand({}));
      for await (const page of paginateScan({}, {})) use(page);
      await client.send(new TransactWriteCommand({ TransactItems: steps(items) }));`;
    const building = `[{ Put: { TableName } }, { ConditionCheck: { TableName } }]`;
    const elsewhere = `const verbs = { Delete: 1 }; new Command('hsdo');`;
    const sources = [sending, building, elsewhere].map((text, index) => ({ file: `${index}.ts`, text }));
    expect(rightsOf(sources)).toEqual([
      'dynamodb:ConditionCheckItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Scan',
    ]);
  });

  it('refuses a command that it does not know', () => {
    const sources = [{ file: 'a.ts', text: 'await ec2.send(new TerminateInstancesCommand({}))' }];
    expect(() => rightsOf(sources)).toThrow('a.ts calls TerminateInstances');
  });
});
