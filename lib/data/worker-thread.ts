import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import { ConfigError, DataError } from '../native/errors'
import { packageRoot } from '../native/package-root'
import { Scope, tensorsIn } from '../tensor/scope'
import { discardTensors, receiveTensors, TensorChannel } from '../tensor/transfer'
import { fromPlainError, type Loaded, placeText } from './fetch'
import type { WorkerAnswer, WorkerRequest, WorkerStart } from './worker-protocol'
import type { WorkerRecipe } from './worker-recipe'

interface Waiting {
  readonly run: number
  readonly resolve: (loaded: Loaded | undefined) => void
  readonly reject: (error: Error) => void
}

/** One worker as the loader sees it: requests go out, promises of batches come back. */
export class WorkerThread {
  readonly #worker: Worker
  readonly #channel = new TensorChannel()
  readonly #begun = new SharedArrayBuffer(8)
  readonly #waiting = new Map<number, Waiting>()
  /** Why it can load no more. */
  #failure: Error | undefined
  #thrown: Error | undefined
  #closing: Promise<void> | undefined

  constructor(
    readonly id: number,
    start: Omit<WorkerStart, 'id' | 'channel' | 'begun'>,
    /** Of the data set in this thread, which the worker's must have too. */
    readonly length: number | undefined,
    resourceLimits: ResourceLimits | undefined,
  ) {
    new Float64Array(this.#begun)[0] = -1
    const workerData: WorkerStart = { ...start, id, channel: this.#channel.id, begun: this.#begun }
    const { program, isText } = programFor(start.recipe)
    this.#worker = new Worker(program, {
      eval: isText,
      workerData,
      name: `data worker ${id}`,
      ...(resourceLimits && { resourceLimits }),
    })
    this.#worker.on('message', (answer: WorkerAnswer) => this.#receive(answer))
    this.#worker.on('error', (error) => {
      this.#thrown = error
    })
    this.#worker.on('exit', (code) => this.#exited(code))
  }

  /** How many batches it was asked for and has not given. */
  get load(): number {
    return this.#waiting.size
  }

  /** False once it has ended or could not make its data set. */
  get usable(): boolean {
    return this.#failure === undefined
  }

  /** Forgets what earlier iterations asked for; their batches are freed when they come. */
  forget(): void {
    for (const { reject } of this.#waiting.values()) reject(new ConfigError('DataLoader: the iteration has ended'))
    this.#waiting.clear()
  }

  tell(request: Extract<WorkerRequest, { type: 'stream' }>): void {
    if (!this.#failure) this.#worker.postMessage(request)
  }

  /** The batch that is asked for; undefined at the end of a stream. */
  ask(request: Exclude<WorkerRequest, { type: 'stream' }>): Promise<Loaded | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      this.#waiting.set(request.batch, { run: request.run, resolve, reject })
      this.#worker.postMessage(request)
    })
  }

  /** Whether it keeps the process alive. */
  hold(on: boolean): void {
    if (on) this.#worker.ref()
    else this.#worker.unref()
  }

  /** Ends it, and frees what it sent and nobody took. */
  close(): Promise<void> {
    this.#closing ??= this.#terminate()
    return this.#closing
  }

  async #terminate(): Promise<void> {
    this.#failure ??= new ConfigError('DataLoader: the iteration has ended')
    this.forget()
    this.#worker.ref()
    await this.#worker.terminate()
    this.#channel.close()
  }

  #receive(answer: WorkerAnswer): void {
    if (answer.type === 'ready') {
      if (answer.length !== this.length) this.#fail(this.#unequal(answer.length))
      return
    }
    if (answer.type === 'unable') {
      this.#fail(this.#unable(fromPlainError(answer.error)))
      return
    }
    const waiting = this.#waiting.get(answer.batch)
    if (waiting?.run !== answer.run) {
      if (answer.type === 'batch') discardTensors(answer.message)
      return
    }
    this.#waiting.delete(answer.batch)
    if (answer.type === 'batch') waiting.resolve(received(answer.message))
    else if (answer.type === 'end') waiting.resolve(undefined)
    else waiting.reject(fromPlainError(answer.error))
  }

  #unequal(length: number | undefined): DataError {
    return new DataError(
      `DataLoader: the data set of worker ${this.id} has ${length} samples, that of this thread ${this.length}; ` +
        'its module must make the same data set each time',
      { worker: this.id },
    )
  }

  #unable(cause: Error): DataError {
    return new DataError(`DataLoader: worker ${this.id} could not make its data set: ${cause.message}`, {
      worker: this.id,
      cause,
    })
  }

  #exited(code: number): void {
    if (this.#closing) return
    const [batch] = this.#waiting.keys()
    const begun = new Float64Array(this.#begun)[0] as number
    const sample = begun >= 0 ? begun : undefined
    const reason = this.#thrown ? `: ${this.#thrown.message}` : ` with exit code ${code}`
    const where = batch === undefined ? 'between batches' : `while it loaded ${placeText({ batch })}`
    const last = sample === undefined ? '' : `; it had begun sample ${sample}`
    this.#fail(
      new DataError(`DataLoader: worker ${this.id} ended ${where}${reason}${last}`, {
        worker: this.id,
        batch,
        sample,
        cause: this.#thrown,
      }),
    )
    this.#channel.close()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.values()) reject(this.#failure)
    this.#waiting.clear()
  }
}

/** The tensors of a message, held by a scope of the batch whatever scope is current. */
function received(message: unknown): Loaded {
  const scope = new Scope(undefined)
  const value = receiveTensors(message)
  for (const tensor of tensorsIn(value)) scope.add(tensor)
  return { value, scope }
}

/** The worker's program: the one beside the bundle that runs, or its source. */
function entry(): URL {
  const name = runsFromDist() ? 'dist/data/worker.js' : 'lib/data/worker.ts'
  return pathToFileURL(join(packageRoot(), name))
}

function runsFromDist(): boolean {
  return fileURLToPath(import.meta.url).startsWith(join(packageRoot(), 'dist') + sep)
}

/** What a worker runs. Node 20 reads no TypeScript in workers, whatever the process was started with; tsx then does. */
function programFor(recipe: WorkerRecipe): { readonly program: URL | string; readonly isText: boolean } {
  const file = entry()
  const typescript = [file.href, ...modulesOf(recipe)].filter((href) => /\.[cm]?ts$/.test(href))
  const readsTypeScript = 'typescript' in process.features && process.features.typescript && file.href.endsWith('.js')
  const tsx = typescript.length === 0 || readsTypeScript ? undefined : findTsx(typescript)
  // Without tsx the worker's own error says what to do.
  if (tsx === undefined) return { program: file, isText: false }
  const [api, main] = [JSON.stringify(tsx), JSON.stringify(file.href)]
  return { program: `import(${api}).then(({ register }) => { register(); return import(${main}) })`, isText: true }
}

/** tsx as it is installed beside one of the modules. */
function findTsx(modules: readonly string[]): string | undefined {
  for (const module of modules) {
    try {
      // `require` finds its CommonJS half; the other registers for modules.
      return pathToFileURL(
        createRequire(module)
          .resolve('tsx/esm/api')
          .replace(/\.cjs$/, '.mjs'),
      ).href
    } catch {
      // Not beside this one.
    }
  }
  return undefined
}

function modulesOf(recipe: WorkerRecipe): readonly string[] {
  if (recipe.kind === 'module') return [recipe.href]
  return (recipe.kind === 'subset' ? [recipe.dataset] : recipe.datasets).flatMap(modulesOf)
}
