import { existsSync } from 'node:fs'
import { basename, dirname, extname } from 'node:path'
import { readFlow, readImage, writeFlow, writeImage } from '../io'
import { imageFormatOf } from '../io/image-encode'
import { angularError, endPointError, flowOutliers } from '../metrics'
import { CancelledError, DeviceError, ShapeError } from '../native/errors'
import { loadNative } from '../native/load'
import { cudaUnavailable } from '../native/load-cuda'
import { type Tvl1Preset, tvl1 } from '../ops'
import type { Tensor } from '../tensor/tensor'
import type { Device } from '../tensor/types'
import { drawFlowArrows, flowToColour } from '../vision'
import { type CommonOptions, type Context, EXIT, printJson, UsageError } from './command'
import { withProgress } from './progress'

/** Options of `vision-native flow`. */
export interface FlowOptions extends CommonOptions {
  /** Picture of the flow. */
  readonly output?: string
  /** File of the flow. */
  readonly flo?: string
  /** File of the measured flow. */
  readonly truth?: string
  readonly arrows?: boolean
  readonly preset: Tvl1Preset
  readonly device: string
  readonly threads?: number
}

/** Accuracy against a measured flow. */
interface Accuracy {
  readonly endPointError: number
  readonly angularErrorDegrees: number
  readonly outlierShare: number
}

/** `vision-native flow`: TV-L1 optical flow of two frames, as a picture, as a file, and against the truth. */
export async function flow(
  firstPath: string,
  secondPath: string,
  options: FlowOptions,
  { signal }: Context,
): Promise<number> {
  checkOutputs(options)
  const device = chooseDevice(options.device)
  if (options.threads !== undefined) loadNative().bridge.setNumThreads(options.threads)

  const [first, second] = await Promise.all([readGrey(firstPath, device), readGrey(secondPath, device)])
  checkSameSize('frames', [firstPath, first], [secondPath, second])
  const truth = options.truth === undefined ? undefined : await readFlow(options.truth, { device })
  if (truth) checkSameSize('frames and truth', [firstPath, first], [options.truth ?? '', truth.flow])

  const started = performance.now()
  const solver = tvl1({ preset: options.preset })
  const field = await withProgress(!options.json, (onProgress) =>
    solver.pair(first, second, { signal, onProgress }),
  ).catch((error: unknown) => {
    throw signal.aborted ? interrupted(signal) : error
  })
  const seconds = (performance.now() - started) / 1000

  const accuracy = truth && measure(field, truth.flow, truth.valid)
  const longest = field.select(0, 0).hypot(field.select(0, 1)).amax().item() as number
  if (signal.aborted) throw interrupted(signal)

  if (options.output !== undefined) {
    const picture = options.arrows
      ? await drawFlowArrows(await readImage(firstPath, { device }), field)
      : flowToColour(field)
    await writeImage(picture, options.output)
  }
  if (options.flo !== undefined) await writeFlow(field, options.flo)

  const [height = 0, width = 0] = first.shape
  const summary = {
    ...{ width, height, preset: options.preset, device, seconds, longest },
    ...(accuracy && { truth: accuracy }),
    ...{ output: options.output, flo: options.flo },
  }
  if (options.json) printJson(summary)
  else console.log(describe(summary))
  return EXIT.ok
}

function interrupted(signal: AbortSignal): CancelledError {
  return new CancelledError('flow: cancelled; nothing was written', { cause: signal.reason })
}

function checkOutputs({ output, flo, truth, json, arrows }: FlowOptions): void {
  if (output === undefined && flo === undefined && truth === undefined && !json) {
    throw new UsageError('flow: nothing to do with the result; give --output, --flo, --truth or --json')
  }
  if (arrows && output === undefined) throw new UsageError('flow: --arrows draws into the picture; give --output too')
  if (output !== undefined) checkPicture(output)
  if (flo !== undefined && !['.flo', '.png'].includes(extname(flo).toLowerCase())) {
    throw new UsageError(`flow --flo: '${extname(flo)}' of ${flo} is no flow format; use .flo or .png (KITTI)`)
  }
  // Better now than after the work.
  for (const path of [output, flo]) {
    if (path === undefined || existsSync(dirname(path))) continue
    throw new UsageError(`flow: ${path} cannot be written: there is no folder ${dirname(path)}; make it first`)
  }
}

function checkPicture(path: string): void {
  try {
    imageFormatOf(path, 'flow --output')
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause })
  }
}

/** `auto` takes the GPU where there is one, and says so on the last line and in the JSON. */
function chooseDevice(device: string): Device {
  const cuda = /^cuda(:\d+)?$/.test(device)
  if (device === 'cpu') return 'cpu'
  if (!cuda && device !== 'auto') {
    throw new UsageError(`flow --device: '${device}' is no device; use cpu, cuda, cuda:N or auto`)
  }
  const reason = cudaUnavailable(loadNative())
  if (device === 'auto') return reason === undefined ? 'cuda' : 'cpu'
  if (reason !== undefined) throw new DeviceError(`flow --device ${device}: CUDA is not available: ${reason}`)
  return device as Device
}

async function readGrey(path: string, device: Device): Promise<Tensor<'float32'>> {
  const image = await readImage(path, { mode: 'grey', dtype: 'float32', device })
  return image.squeeze(0) as Tensor<'float32'>
}

function checkSameSize(what: string, ...files: readonly (readonly [path: string, tensor: Tensor])[]): void {
  const sizes = files.map(([path, tensor]) => `${basename(path)} is ${tensor.size(-1)} × ${tensor.size(-2)}`)
  const [a, b] = files.map(([, tensor]) => `${tensor.size(-1)} ${tensor.size(-2)}`)
  if (a !== b) throw new ShapeError(`flow: ${sizes.join(', ')}; ${what} must have the same size`)
}

function measure(field: Tensor, truth: Tensor, valid: Tensor): Accuracy {
  const value = (tensor: Tensor) => tensor.item() as number
  return {
    endPointError: value(endPointError(field, truth, { valid })),
    angularErrorDegrees: value(angularError(field, truth, { valid })),
    outlierShare: value(flowOutliers(field, truth, { valid, threshold: 1 })),
  }
}

interface Summary {
  readonly width: number
  readonly height: number
  readonly preset: string
  readonly device: Device
  readonly seconds: number
  readonly longest: number
  readonly truth?: Accuracy
  readonly output?: string
  readonly flo?: string
}

function describe({ width, height, preset, device, seconds, longest, truth, output, flo }: Summary): string {
  const lines = [
    `${width} × ${height}, ${preset} on ${device}: ${seconds.toFixed(2)} s, longest motion ${longest.toFixed(1)} px`,
  ]
  if (truth) {
    const { endPointError: epe, angularErrorDegrees: angle, outlierShare } = truth
    lines.push(
      `average end-point error ${epe.toFixed(3)} px, angular error ${angle.toFixed(2)}°, ` +
        `${(100 * outlierShare).toFixed(1)} % of the pixels off by more than 1 px`,
    )
  }
  if (output !== undefined) lines.push(`picture: ${output}`)
  if (flo !== undefined) lines.push(`flow: ${flo}`)
  return lines.join('\n')
}
