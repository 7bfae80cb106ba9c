import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isTrainable, loadNetworks, parseConfig, trainable, trainSystem } from '../pipeline'
import type { Plot } from '../plot'
import { resolveDevice } from '../tensor'
import { tidyAsync } from '../tensor/scope'
import { type CommonOptions, type Context, EXIT, note, printJson } from './command'
import { withProgress } from './progress'
import { configOf, deviceOf, systemOf, usage } from './system-of'

/** Options of commands that take a system's data. */
export interface DataCommandOptions extends CommonOptions {
  readonly data: string
  readonly config?: string
  readonly set: readonly string[]
  readonly device: string
  readonly skipBroken?: boolean
}

/** Options of `vision-native train`. */
export interface TrainOptions extends DataCommandOptions {
  readonly folder?: string
  readonly resume?: boolean
}

/** `vision-native train`: a run of training in its folder. */
export async function train(name: string, options: TrainOptions, { signal }: Context): Promise<number> {
  const found = await systemOf(name, 'train')
  const system = usage(() => trainable(found, 'train'))
  const config = await configOf(options.config, options.set, 'train')
  usage(() => parseConfig(system.config, config, 'train'))
  const { data, folder = `runs/${name}`, resume, skipBroken, json } = options
  const device = deviceOf(options.device, 'train')
  const report = await tidyAsync(() =>
    trainSystem(system, { data, folder, config, resume, skipBroken, device, signal, note, progress: !json }),
  )
  if (json) printJson(report)
  else {
    console.log(`${name} trained in ${report.seconds.toFixed(1)} s on ${report.device}`)
    for (const [key, value] of Object.entries(report.values)) console.log(`  ${key} ${Number(value.toPrecision(5))}`)
    console.log(`weights: ${report.weights}`)
  }
  return EXIT.ok
}

/** Options of `vision-native evaluate`. */
export interface EvaluateOptions extends DataCommandOptions {
  readonly weights?: string
  /** A folder for the curves. */
  readonly output?: string
}

/** `vision-native evaluate`: the paper's metrics on a data set. */
export async function evaluate(name: string, options: EvaluateOptions, { signal }: Context): Promise<number> {
  const system = await systemOf(name, 'evaluate')
  const over = await configOf(options.config, options.set, 'evaluate')
  const { data, weights, skipBroken, json, output } = options
  const device = deviceOf(options.device, 'evaluate')
  const evaluation = await tidyAsync(async () => {
    const common = { data, skipBroken, signal, note }
    if (!isTrainable(system)) {
      const config = usage(() => parseConfig(system.config, over, 'evaluate'))
      const resolved = resolveDevice(device).device
      return withProgress(!json, (onProgress) => system.evaluate({ ...common, config, device: resolved, onProgress }))
    }
    const loaded = await loadNetworks(system, { weights, config: over, device })
    return withProgress(!json, (onProgress) => system.evaluate({ ...loaded, ...common, onProgress }))
  })
  const { charts, ...measured } = evaluation
  const written = output === undefined ? undefined : await writeCharts(charts ?? {}, output)
  if (json) printJson({ system: name, ...measured, charts: written })
  else {
    console.log(`${evaluation.samples} samples, ${evaluation.protocol}`)
    for (const [key, value] of Object.entries(evaluation.metrics))
      console.log(`  ${key} ${Number(value.toPrecision(6))}`)
    for (const path of written ?? []) console.log(`written: ${path}`)
  }
  return EXIT.ok
}

/** Curves of an evaluation as files of a folder; their paths. */
async function writeCharts(charts: Readonly<Record<string, Plot>>, folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  const files = Object.entries(charts).map(([name, chart]) => ({ path: join(folder, `${name}.svg`), chart }))
  for (const { path, chart } of files) await chart.toFile(path)
  return files.map(({ path }) => path)
}
