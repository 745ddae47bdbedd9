import { z } from 'zod';
import { HsdoError } from '../../model/error.ts';
import { askJson, type JsonAnswer, type JsonQuestion, printable } from './ask-json.ts';
import { createGoogleToken } from './google-cloud-token.ts';
import { baseUrlOption, commonOptions, type SwitcherContext } from './options.ts';
import type { Switcher } from './switcher.ts';

export const googleCloudSchema = z.strictObject({
  kind: z.literal('google-cloud'),
  ...commonOptions,
  project: z.string().regex(/^([a-z0-9.-]{1,100}:)?[a-z0-9-]{1,63}$/, 'expected the id of a project'),
  /** The key of the project's metadata that holds the active target. */
  metadataKey: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, 'expected 1 to 128 of A-Z a-z 0-9 _ -'),
  /** What stands under that key: the address of the target (dhaf), or its name. */
  value: z.enum(['address', 'name']).default('address'),
  /** Key file of a service account; else the credentials of the machine. */
  credentialsPath: z.string().min(1).optional(),
  baseUrl: baseUrlOption('https://compute.googleapis.com'),
});

type GoogleCloudConfig = z.output<typeof googleCloudSchema>;

const itemSchema = z.object({ key: z.string(), value: z.string().optional() });
const projectSchema = z.object({
  commonInstanceMetadata: z.looseObject({ fingerprint: z.string(), items: z.array(itemSchema).default([]) }),
});
const operationSchema = z.object({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/),
  status: z.string(),
  httpErrorStatusCode: z.number().optional(),
  error: z
    .object({
      errors: z.array(z.object({ code: z.string().default(''), message: z.string().default('') })).default([]),
    })
    .optional(),
});
const errorSchema = z.object({
  error: z.object({
    message: z.string().default(''),
    errors: z.array(z.object({ reason: z.string().default('') })).default([]),
  }),
});

type Metadata = z.output<typeof projectSchema>['commonInstanceMetadata'];
type Operation = z.output<typeof operationSchema>;

/** Others write metadata, too; each of them can be in between once. */
const mostTries = 5;
/** Between two looks at an operation that is not done, should Google not let us wait. */
const lookAgainMs = 200;
const limitReasons = ['rateLimitExceeded', 'userRateLimitExceeded', 'quotaExceeded'];

/**
 * Writes the active target under one key of a project's metadata, where instances read it (dhaf's `google-cloud`). All
 * items are written at once, under the fingerprint that was read with them: whoever was faster is not undone, and no other
 * key is lost. It is done when Google's operation is, not when that was taken on.
 * (https://cloud.google.com/compute/docs/reference/rest/v1/projects/setCommonInstanceMetadata)
 */
export function createGoogleCloudSwitcher(config: GoogleCloudConfig, context: SwitcherContext): Switcher {
  const { project, metadataKey, value } = config;
  const { credentialsPath } = config;
  const token = createGoogleToken({ credentialsPath, project, baseFolder: context.baseFolder ?? '.' });
  const base = `${config.baseUrl}/compute/v1/projects/${encodeURIComponent(project)}`;

  async function call(method: JsonQuestion['method'], path: string, body: unknown, signal: AbortSignal) {
    const headers = { authorization: `Bearer ${await token.read()}` };
    signal.throwIfAborted();
    const answer = await askJson({ who: 'Google', method, url: `${base}${path}`, headers, body }, signal);
    if (answer.status === 401) token.forget();
    return answer;
  }

  async function read(signal: AbortSignal): Promise<Metadata> {
    const answer = await call('GET', '', undefined, signal);
    if (answer.status !== 200) throw refusalOf(answer, `read project "${project}"`);
    return believed(projectSchema, answer).commonInstanceMetadata;
  }

  /** False when somebody else wrote since `metadata` was read. */
  async function write(metadata: Metadata, wanted: string, signal: AbortSignal): Promise<boolean> {
    const others = metadata.items.filter(({ key }) => key !== metadataKey);
    const items = [...others, { key: metadataKey, value: wanted }];
    const action = `write "${metadataKey}" of project "${project}"`;
    const answer = await call('POST', '/setCommonInstanceMetadata', { ...metadata, items }, signal);
    if (answer.status === 412) return false;
    if (answer.status !== 200) throw refusalOf(answer, action);
    const { error, httpErrorStatusCode } = await endOf(believed(operationSchema, answer), signal);
    if (error === undefined) return true;
    if (httpErrorStatusCode === 412) return false;
    const told = error.errors.map(({ code, message }) => `${code} ${printable(message)}`.trim()).join(', ');
    const mayPass = httpErrorStatusCode === undefined || httpErrorStatusCode === 429 || httpErrorStatusCode >= 500;
    throw new HsdoError(mayPass ? 'unavailable' : 'rejected', `Cannot ${action}: the operation failed (${told})`);
  }

  async function endOf(begun: Operation, signal: AbortSignal): Promise<Operation> {
    let operation = begun;
    while (operation.status !== 'DONE') {
      const answer = await call('POST', `/global/operations/${operation.name}/wait`, undefined, signal);
      if (answer.status !== 200) throw refusalOf(answer, `wait for operation "${operation.name}"`);
      operation = believed(operationSchema, answer);
      if (operation.status !== 'DONE') await context.clock.sleep(lookAgainMs, signal);
    }
    return operation;
  }

  return {
    async current(signal) {
      const { items } = await read(signal);
      return items.find(({ key }) => key === metadataKey)?.value;
    },
    async switchTo(entry, signal) {
      const wanted = entry[value];
      for (let tries = 0; tries < mostTries; tries += 1) {
        const metadata = await read(signal);
        if (metadata.items.some((item) => item.key === metadataKey && item.value === wanted)) return;
        if (await write(metadata, wanted, signal)) return;
      }
      const reason = `others changed the metadata of project "${project}" ${mostTries} times meanwhile`;
      throw new HsdoError('unavailable', `Cannot write "${metadataKey}": ${reason}`);
    },
  };
}

function refusalOf({ status, body, beginning, retryAfterMs }: JsonAnswer, action: string): HsdoError {
  const parsed = errorSchema.safeParse(body);
  const told = parsed.success ? printable(parsed.data.error.message) : `no JSON of Google: "${beginning}"`;
  const reasons = parsed.success ? parsed.data.error.errors.map(({ reason }) => reason) : [];
  const mayPass =
    !parsed.success || status === 429 || status >= 500 || reasons.some((one) => limitReasons.includes(one));
  const advice =
    !mayPass && (status === 401 || status === 403)
      ? '; the account needs compute.projects.get and compute.projects.setCommonInstanceMetadata'
      : '';
  const message = `Cannot ${action}: Google answered ${status} (${told})${advice}`;
  return new HsdoError(mayPass ? 'unavailable' : 'rejected', message, { retryAfterMs });
}

function believed<T>(schema: z.ZodType<T>, { body }: JsonAnswer): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new HsdoError(
    'unavailable',
    `Google's answer has another form than expected: ${printable(parsed.error.message)}`,
  );
}
