import { Argument, type Command, InvalidArgumentError } from 'commander';
import { overrides } from '../model/slot.ts';
import { type ApiOptions, askApi, serviceAddress } from './api-client.ts';

/** `hsdo override`, `hsdo maintenance` and `hsdo release`: what an operator asks for; the leader does it in its next round. */
export function addRequests(program: Command): void {
  program
    .command('override')
    .description('put a target into drain or maint, end a hold by hand with ready, give it back to hsdo with none')
    .argument('<service>')
    .argument('<target>', 'id or name of the target, as hsdo slots shows it')
    .addArgument(new Argument('<state>').choices([...overrides, 'none']))
    .action(async (service: string, target: string, state: string, _: unknown, command: Command) => {
      const api = command.optsWithGlobals<ApiOptions>();
      if (state === 'none') await askApi(api, 'DELETE', serviceAddress(service, 'overrides', target));
      else await askApi(api, 'POST', serviceAddress(service, 'overrides'), { target, state });
      process.stdout.write(`asked: ${service} ${target} ${state}\n`);
    });
  program
    .command('maintenance')
    .description('put a service as a whole under maintenance: nobody is told of it meanwhile, and its targets serve on')
    .argument('<service>')
    .argument('<minutes>', 'how long, or off to end it', minutesOf)
    .action(async (service: string, minutes: number | 'off', _: unknown, command: Command) => {
      const [api, address] = [command.optsWithGlobals<ApiOptions>(), serviceAddress(service, 'maintenance')];
      if (minutes === 'off') await askApi(api, 'DELETE', address);
      else await askApi(api, 'POST', address, { minutes });
      process.stdout.write(`asked: ${service} maintenance ${minutes === 'off' ? minutes : `for ${minutes} min`}\n`);
    });
  program
    .command('release')
    .description('let the guard go on with a removal that it holds')
    .argument('<service>')
    .argument('<token>', 'the hold, as hsdo status shows it')
    .action(async (service: string, token: string, _: unknown, command: Command) => {
      await askApi(command.optsWithGlobals<ApiOptions>(), 'POST', serviceAddress(service, 'hold', 'release'), {
        token,
      });
      process.stdout.write(`asked: ${service} lets go of ${token}\n`);
    });
}

function minutesOf(text: string): number | 'off' {
  if (text === 'off') return 'off';
  const minutes = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (minutes >= 1 && minutes <= 10_080) return minutes;
  throw new InvalidArgumentError('expected minutes from 1 to 10080, or off.');
}
