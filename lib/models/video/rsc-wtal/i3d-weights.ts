// The two networks that turn videos into features, from published files.
import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { I3D, I3DSegments, LAYOUTS } from '../../../backbones'
import { loadPth, readSafetensors, stateDictOf } from '../../../io'
import { ConfigError, FormatError } from '../../../native/errors'
import { skipInit } from '../../../nn'
import { type Device, type Tensor, tidyAsync } from '../../../tensor'
import type { Config } from './config'

const CHANNELS = { rgb: 3, flow: 2 } as const

/** Both networks with their extractor. */
export class VideoFeatures {
  private constructor(
    readonly segments: I3DSegments,
    readonly networks: readonly I3D[],
  ) {}

  /**
   * Loads the networks that `video.rgbWeights` and `video.flowWeights` name.
   *
   * @param trial random networks where none are named: features then mean nothing
   * @throws ConfigError when one is not named or not there; FormatError, ShapeError when it holds no I3D
   */
  static async load({ video }: Config, device: Device, trial: boolean): Promise<VideoFeatures> {
    const { fps, shortSide, crop, solver, bound, bytes } = video
    return tidyAsync(async () => {
      const rgb = await network('rgb', video.rgbWeights, trial)
      const flow = await network('flow', video.flowWeights, trial)
      const networks = [rgb, flow].map((net) => net.to(device).eval().freeze())
      return new VideoFeatures(
        new I3DSegments(rgb, flow, { fps, shortSide, crop, solver, bound, bytes, device }),
        networks,
      )
    })
  }

  dispose(): void {
    this.segments.dispose()
    for (const net of this.networks) net.dispose()
  }
}

async function network(stream: 'rgb' | 'flow', weights: string | undefined, trial: boolean): Promise<I3D> {
  const inChannels = CHANNELS[stream]
  if (weights === 'random' || (weights === undefined && trial)) return new I3D({ inChannels })
  const key = `video.${stream}Weights`
  if (weights === undefined) {
    throw new ConfigError(
      `rsc-wtal: a video needs weights of I3D, and ${key} is not set; name a file (--set ${key}=i3d_${stream}.pt), or give features (.npy, .npz) in place of the video`,
    )
  }
  if (!existsSync(weights)) throw new ConfigError(`rsc-wtal: ${key} is ${weights}, and there is no such file`)
  const state = await stateOf(weights)
  const classes = state.get('logits.conv3d.weight')?.size(0)
  if (classes === undefined)
    throw new FormatError(`rsc-wtal: ${weights} of ${key} holds no I3D: logits.conv3d.weight is missing`)
  const net = skipInit(() => new I3D({ inChannels, numClasses: classes }))
  net.loadStateDict(state)
  return net
}

/** The tensors of a file under the names of `I3D`, whichever port wrote them. */
async function stateOf(path: string): Promise<ReadonlyMap<string, Tensor>> {
  const state =
    extname(path).toLowerCase() === '.safetensors' ? await readSafetensors(path) : stateDictOf(await loadPth(path))
  return state.has('conv3d_0c_1x1.conv3d.weight') ? LAYOUTS['i3d-kinetics'].fromPublished(state) : state
}
