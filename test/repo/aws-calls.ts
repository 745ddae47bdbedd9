/** Which AWS calls a source makes, and which right each of them needs. */

/**
 * IAM actions of the SDK's commands, by the name before `Command` (and of its paginators). The document client's short
 * names are DynamoDB's. Transactions are left out on purpose: they need the rights of what they hold (DynamoDB
 * Developer Guide, "Using IAM with DynamoDB transactions"), see {@link transactionRights}.
 */
const rights: Readonly<Record<string, string>> = {
  BatchGet: 'dynamodb:BatchGetItem',
  BatchWrite: 'dynamodb:BatchWriteItem',
  Delete: 'dynamodb:DeleteItem',
  DescribeTable: 'dynamodb:DescribeTable',
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

/** Rights that a source file needs; throws on a command that this table does not know. */
export function rightsIn(file: string, text: string): string[] {
  if (!text.includes('@aws-sdk/')) return [];
  const names = [...text.matchAll(/\bnew (?:\w+\.)?(\w+)Command\b|\bpaginate(\w+)\b/g)].map((match) => {
    return (match[1] ?? match[2] ?? '').replace(/Items?$/, '');
  });
  return [...new Set(names)].flatMap((name) => {
    if (name === 'TransactWrite') return transactionSteps(text);
    const right = rights[name];
    if (right === undefined) throw new Error(`${file} calls ${name}: its right has no line in this table`);
    return [right];
  });
}

function transactionSteps(text: string): string[] {
  return Object.entries(transactionRights)
    .filter(([step]) => new RegExp(`\\b${step}:`).test(text))
    .map(([, right]) => right);
}
