import { createMemoryEngine, openMemoryStore } from '../../src/store/memory.ts';
import { describeStore } from './store-suite.ts';

describeStore('memory', async () => {
  const engine = createMemoryEngine();
  return { open: async () => openMemoryStore(engine), remove: async () => {} };
});
