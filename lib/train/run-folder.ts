import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../native/atomic-file'
import { ConfigError, FormatError } from '../native/errors'
import type { TrainingRecord } from './records'

/** The checkpoint that the run of a folder goes on from, where there is one. */
export function lastCheckpoint(folder: string): string | undefined {
  const path = join(folder, 'checkpoints', 'last.pth')
  return existsSync(path) ? path : undefined
}

/** Files of one training run: its log, its checkpoints and its curves. */
export class RunFolder {
  readonly records: TrainingRecord[] = []

  constructor(readonly path: string) {
    mkdirSync(this.checkpoints, { recursive: true })
  }

  get checkpoints(): string {
    return join(this.path, 'checkpoints')
  }

  get last(): string {
    return join(this.checkpoints, 'last.pth')
  }

  get best(): string {
    return join(this.checkpoints, 'best.pth')
  }

  get log(): string {
    return join(this.path, 'log.jsonl')
  }

  /** @throws ConfigError when an earlier run would be overwritten */
  async begin(): Promise<void> {
    if (existsSync(this.last)) {
      throw new ConfigError(
        `Trainer: ${this.path} holds a run with a checkpoint; pass resume: true to go on with it, or state another folder`,
      )
    }
    await writeFileAtomic(this.log, new Uint8Array())
  }

  /** Takes over the records up to a checkpoint; what a run wrote between the checkpoint and its end is made anew. */
  async resume(step: number): Promise<void> {
    const records = existsSync(this.log) ? readRecords(this.log) : []
    this.records.splice(0, this.records.length, ...records.filter((record) => record.step <= step))
    const lines = this.records.map((record) => `${JSON.stringify(record)}\n`)
    await writeFileAtomic(this.log, Buffer.from(lines.join('')))
  }

  add(record: TrainingRecord): void {
    this.records.push(record)
    appendFileSync(this.log, `${JSON.stringify(record)}\n`)
  }
}

/**
 * Reads the log of a run.
 *
 * @throws FormatError naming the line that is no record; a last line that a killed run wrote by half is left out
 */
export function readRecords(path: string): TrainingRecord[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  const whole = lines.slice(0, -1)
  return whole.map((line, index) => {
    try {
      return JSON.parse(line) as TrainingRecord
    } catch (cause) {
      throw new FormatError(`${path}: line ${index + 1} is no JSON: ${line.slice(0, 80)}`, { cause })
    }
  })
}
