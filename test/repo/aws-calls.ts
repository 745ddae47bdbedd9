/** Which AWS calls the sources make, and which right each of them needs. */

/**
 * IAM actions of the SDK's commands, by the name before `Command` (and of its paginators). The document client's short
 * names are DynamoDB's. Transactions are left out on purpose: they need the rights of what they hold (DynamoDB
 * Developer Guide, "Using IAM with DynamoDB transactions"), see {@link transactionRights}.
 */
const rights: Readonly<Record<string, string>> = {
  BatchGet: 'dynamodb:BatchGetItem',
  BatchWrite: 'dynamodb:BatchWriteItem',
  Delete: 'dynamodb:DeleteItem',
  Get: 'dynamodb:GetItem',
  Put: 'dynamodb:PutItem',
  Query: 'dynamodb:Query',
  Scan: 'dynamodb:Scan',
  TransactGet: 'dynamodb:GetItem',
  Update: 'dynamodb:UpdateItem',
  DescribeAutoScalingGroups: 'autoscaling:DescribeAutoScalingGroups',
  DescribeInstances: 'ec2:DescribeInstances',
};

/** The steps that a TransactWriteItems call may hold, each with its right. */
const transactionRights: Readonly<Record<string, string>> = {
  ConditionCheck: 'dynamodb:ConditionCheckItem',
  Delete: 'dynamodb:DeleteItem',
  Put: 'dynamodb:PutItem',
  Update: 'dynamodb:UpdateItem',
};

export interface Source {
  readonly file: string;
  readonly text: string;
}

/** Names of the commands that a source makes, without `Command`, and of the paginators that it calls. */
function commandsIn({ text }: Source): string[] {
  const made = [...text.matchAll(/\bnew (?:\w+\.)*([A-Z]\w*)Command\b|\bpaginate([A-Z]\w*)\b/g)];
  return [
    ...new Set(
      made.map((match) => (match[1] ?? match[2] ?? '').replace(/(?<=Get|Put|Update|Delete|Write)Items?$/, '')),
    ),
  ];
}

/** Rights of the steps that transactions hold; these are often put together in another file than the one that sends. */
function transactionSteps(sources: readonly Source[]): string[] {
  const tables = sources.filter(({ text }) => text.includes('TableName'));
  return Object.entries(transactionRights)
    .filter(([step]) => tables.some(({ text }) => new RegExp(`\\b${step}:`).test(text)))
    .map(([, right]) => right);
}

/** Every right that the sources need, each once, in order; throws on a command that this table does not know. */
export function rightsOf(sources: readonly Source[]): string[] {
  const needed = sources.flatMap((source) =>
    commandsIn(source).flatMap((name) => {
      if (name === 'TransactWrite') return transactionSteps(sources);
      const right = rights[name];
      if (right === undefined) throw new Error(`${source.file} calls ${name}: its right has no line in this table`);
      return [right];
    }),
  );
  return [...new Set(needed)].sort();
}
