import { existsSync, statSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'
import { isTrainable } from '../pipeline'
import { type CommonOptions, EXIT, printJson, UsageError } from './command'
import { systemOf } from './system-of'

/** Options of `vision-native export`. */
export interface ExportOptions extends CommonOptions {
  readonly weights: string
  readonly output: string
}

/** `vision-native export`: trained weights as they are deployed. */
export async function exportWeights(name: string, { weights, output, json }: ExportOptions): Promise<number> {
  const system = await systemOf(name, 'export')
  if (!isTrainable(system) || system.export === undefined) {
    throw new UsageError(`export: ${name} has no other form for deployment; what \`train\` wrote is used as it is`)
  }
  if (!existsSync(weights)) throw new UsageError(`export --weights: there is no file ${weights}`)
  if (extname(output).toLowerCase() !== '.safetensors') {
    throw new UsageError(`export --output: ${output} is to end in .safetensors`)
  }
  if (!existsSync(dirname(output))) {
    throw new UsageError(`export --output: there is no folder ${dirname(output)}; make it first`)
  }
  if (resolve(weights) === resolve(output))
    throw new UsageError(`export --output: ${output} is the input; name another file`)
  await system.export(weights, output)
  const [before, after] = [statSync(weights).size, statSync(output).size]
  if (json) printJson({ system: name, weights, output, bytes: { weights: before, output: after } })
  else console.log(`written: ${output}, ${megabytes(after)}; the weights have ${megabytes(before)}`)
  return EXIT.ok
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`
