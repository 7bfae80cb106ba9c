import type { Command } from 'commander'
import { ArgumentError } from '../native/errors'

/** Exit codes of the command, as `--help` lists them. */
export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130, terminated: 143 } as const

/** Options that contradict each other or name something that cannot be: the user's command line is to be changed. */
export class UsageError extends ArgumentError {}

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: boolean
  readonly verbose?: boolean
}

/** What a command gets besides its options. */
export interface Context {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** Adds the options that every command takes. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object on standard output, and nothing else there')
    .option('--verbose', 'print the stack of an error too')
}

/** Prints the result of a command for a program. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, undefined, 2))
}

/** Prints a line for a person; standard output is for results, so it goes to standard error. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}
