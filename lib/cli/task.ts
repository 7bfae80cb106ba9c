// A command for each task: the same for every system that does it.
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { CancelledError } from '../native/errors'
import type { Result, Summary, SystemCard, TaskName } from '../pipeline'
import { type LoadOptions, parseConfig, TASKS } from '../pipeline'
import { SYSTEMS } from '../registry.generated'
import { tidyAsync } from '../tensor/scope'
import { type CommonOptions, type Context, EXIT, note, printJson, UsageError } from './command'
import { withProgress } from './progress'
import { configOf, deviceOf, systemOf, usage } from './system-of'

/** Options of every task's command. */
export interface TaskOptions extends CommonOptions {
  readonly model?: string
  readonly weights?: string
  readonly output?: string
  readonly config?: string
  readonly set: readonly string[]
  readonly device: string
}

/** The systems that do a task, in alphabetical order. */
export function systemsOfTask(task: TaskName): SystemCard[] {
  return Object.values(SYSTEMS)
    .map((entry): SystemCard => entry.card)
    .filter((card) => card.task === task)
}

/** `vision-native enhance` and its like: files in, a result for each. */
export async function runTask(
  task: TaskName,
  files: readonly string[],
  options: TaskOptions,
  { signal }: Context,
): Promise<number> {
  const name = options.model ?? defaultSystem(task)
  const system = await systemOf(name, task)
  if (system.card.task !== task) {
    throw new UsageError(`${task} --model: ${name} does not ${task}; it is for \`vision-native ${system.card.task}\``)
  }
  const inputs = inputsOf(task, files)
  const outputs = outputsOf(task, inputs, options)
  const config = await configOf(options.config, options.set, task)
  if (options.weights === undefined) usage(() => parseConfig(system.config, config, task))
  const load: LoadOptions = { weights: options.weights, config, device: deviceOf(options.device, task) }
  if (options.output?.endsWith('/')) mkdirSync(options.output, { recursive: true })
  return tidyAsync(async () => {
    const started = performance.now()
    using pipeline = await system.load(load)
    if (options.weights === 'random') note(`${task}: the weights are random, as asked; the result means nothing`)
    let several: readonly Result[] = []
    const results: readonly Summary[] = await withProgress(
      !options.json,
      async (onProgress): Promise<readonly Summary[]> => {
        const run = { signal, onProgress }
        // The commands of a task give each input as its pipelines take it.
        const given = inputs.map((input) => (input.length === 1 ? input[0] : input)) as never[]
        if (given.length === 1) {
          const [output] = outputs
          const one = given[0] as never
          return [await (output === undefined ? pipeline.run(one, run) : pipeline.runToFile(one, output, run))]
        }
        several = await pipeline.batch(given, run)
        return several
      },
    ).catch((error: unknown) => {
      throw signal.aborted
        ? new CancelledError(`${task}: cancelled; nothing was written`, { cause: signal.reason })
        : error
    })
    for (const [index, result] of several.entries()) {
      const output = outputs[index]
      if (output !== undefined) await result.toFile(output)
    }
    const seconds = (performance.now() - started) / 1000
    const rows = results.map((result, index) => ({ input: inputs[index], output: outputs[index], result }))
    if (options.json) printJson({ task, model: name, weights: options.weights, seconds, results: rows })
    else {
      for (const { input = [], output, result } of rows) {
        if (rows.length > 1) console.log(`${input.join(' ')}:`)
        console.log(result.describe())
        if (output !== undefined) console.log(`written: ${output}`)
      }
      console.log(`${name}, ${seconds.toFixed(2)} s`)
    }
    return EXIT.ok
  })
}

function defaultSystem(task: TaskName): string {
  const [first] = systemsOfTask(task)
  if (first === undefined) throw new UsageError(`${task}: no system does this`)
  return first.name
}

/** The files of each input. */
function inputsOf(task: TaskName, files: readonly string[]): string[][] {
  const { files: each, takes } = TASKS[task]
  if (files.length % each !== 0) {
    throw new UsageError(
      `${task}: ${files.length} ${takes}s were given; give two, or a multiple of two for several pairs`,
    )
  }
  for (const file of files) {
    if (!existsSync(file)) throw new UsageError(`${task}: there is no file ${file}`)
  }
  return Array.from({ length: files.length / each }, (_, i) => files.slice(i * each, (i + 1) * each))
}

/** Where each result goes: the file named, or for several inputs a file of the folder named. */
function outputsOf(
  task: TaskName,
  inputs: readonly (readonly string[])[],
  options: TaskOptions,
): (string | undefined)[] {
  const { gives, needsOutput } = TASKS[task]
  const { output } = options
  if (output === undefined) {
    if (needsOutput)
      throw new UsageError(
        `${task}: nothing to do with the result; give -o with a ${gives.slice(0, 3).join(', ')} file`,
      )
    return inputs.map(() => undefined)
  }
  const isFolder = existsSync(output) && statSync(output).isDirectory()
  if (isFolder || output.endsWith('/')) {
    if (!isFolder && existsSync(resolve(output))) {
      throw new UsageError(`${task} --output: ${resolve(output)} is a file, not a folder; name another`)
    }
    const paths = inputs.map(([first = '']) => join(output, `${basename(first, extname(first))}${gives[0]}`))
    for (const path of paths) {
      if (paths.filter((other) => other === path).length === 1 && !inputs.flat().some((file) => same(file, path)))
        continue
      throw new UsageError(
        `${task} --output: ${path} would be written over an input or another result; name another folder`,
      )
    }
    return paths
  }
  if (inputs.length > 1) {
    throw new UsageError(
      `${task} --output: there are ${inputs.length} results; name a folder, as ${output}/, not ${output}`,
    )
  }
  if (!gives.includes(extname(output).toLowerCase())) {
    throw new UsageError(
      `${task} --output: '${extname(output)}' of ${output} is not what ${task} writes; use ${gives.join(', ')}`,
    )
  }
  if (inputs.flat().some((file) => same(file, output))) {
    throw new UsageError(`${task} --output: ${output} is the input; name another file`)
  }
  if (!existsSync(dirname(output))) {
    throw new UsageError(`${task} --output: there is no folder ${dirname(output)}; make it first`)
  }
  return [output]
}

function same(a: string, b: string): boolean {
  return resolve(a) === resolve(b)
}
