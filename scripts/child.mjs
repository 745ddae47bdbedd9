/** Runs a program in the foreground of a script: shared terminal, one signal each, the same exit code. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Resolves with the child's exit code (128 + number when a signal ended it, as shells have it). A Ctrl-C on a terminal
 * reaches the child by itself, so SIGINT is handed on only where there is no terminal: hsdo takes a second one for
 * "now".
 */
export function runInForeground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options });
    const forward = (signal) => {
      if (signal !== 'SIGINT' || process.stdin.isTTY !== true) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const stopForwarding = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.once('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}
