#!/usr/bin/env node
import { runCli } from './cli/program.ts';

// Whatever is still open at the end (a socket of a library, say) must not keep a stopped process alive.
process.exit(await runCli(process.argv.slice(2)));
