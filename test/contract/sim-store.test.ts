import { createDice } from '../fixtures/dice.ts';
import { createEngine, engineKinds } from '../fixtures/sim/engines.ts';
import { createSimProcess } from '../fixtures/sim/process.ts';
import { createSimTime } from '../fixtures/sim/time.ts';
import { describeStore } from './store-suite.ts';

for (const kind of engineKinds)
  describeStore(`a simulated ${kind}`, async () => {
    const [time, dice] = [createSimTime(), createDice(1)];
    const engine = createEngine(kind, time, dice);
    const stop = time.playOn();
    let opened = 0;
    return {
      async open() {
        const host = { name: `host ${++opened}`, rate: 1, wallShiftMs: 0, troubles: new Set<never>() };
        return engine.open(createSimProcess(time, host, host.name));
      },
      remove: async () => stop(),
    };
  });
