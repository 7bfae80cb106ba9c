import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { statusOf } from '../shared/http'

/** Where a job is; what its event stream tells. */
export type JobState =
  | { readonly kind: 'waiting'; readonly ahead: number }
  | { readonly kind: 'running'; readonly stage: string; readonly done: number; readonly total: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string; readonly status: number }

/** A picture on its way. `change` is emitted with each new state. */
export class Job extends EventEmitter<{ change: [JobState] }> {
  readonly id = randomUUID()
  result: Uint8Array | undefined
  #state: JobState = { kind: 'waiting', ahead: 0 }

  constructor(readonly input: Uint8Array) {
    super()
    // As many may listen as browsers have tabs.
    this.setMaxListeners(0)
  }

  get state(): JobState {
    return this.#state
  }

  set state(state: JobState) {
    this.#state = state
    this.emit('change', state)
  }

  get ended(): boolean {
    return this.#state.kind === 'done' || this.#state.kind === 'failed'
  }
}

/** Work on one job; it sets `job.result`. */
export type Worker = (job: Job) => Promise<void>

/** Runs jobs one after the other: one network uses all cores. */
export class JobQueue {
  readonly #jobs = new Map<string, Job>()
  readonly #waiting: Job[] = []
  #running: Promise<void> | undefined

  /**
   * @param most jobs that may wait
   * @param keepMs how long a result is kept
   */
  constructor(
    readonly work: Worker,
    readonly most = 100,
    readonly keepMs = 600_000,
  ) {}

  get waiting(): number {
    return this.#waiting.length
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id)
  }

  /** A new job, or `undefined` when too many wait. */
  add(input: Uint8Array): Job | undefined {
    if (this.#waiting.length >= this.most) return undefined
    const job = new Job(input)
    this.#jobs.set(job.id, job)
    this.#waiting.push(job)
    this.#tellPlaces()
    this.#running ??= this.#run()
    return job
  }

  /** Settles when nothing is left to do. */
  async drained(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      this.#tellPlaces()
      const current = job
      try {
        await this.work(current)
        current.state = { kind: 'done' }
      } catch (error) {
        current.state = { kind: 'failed', message: (error as Error).message, status: statusOf(error) }
      }
      setTimeout(() => this.#jobs.delete(current.id), this.keepMs).unref()
    }
    this.#running = undefined
  }

  #tellPlaces(): void {
    for (const [ahead, job] of this.#waiting.entries()) job.state = { kind: 'waiting', ahead }
  }
}
