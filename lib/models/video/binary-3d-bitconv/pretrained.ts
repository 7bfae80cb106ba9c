// First weights of the stage of floats: C3D's of Sports-1M, or a ResNet of images, inflated.
import { extname } from 'node:path'
import { loadPth, readSafetensors, stateDictOf } from '../../../io'
import { ConfigError, ShapeError } from '../../../native/errors'
import { noGrad, ones, type Tensor, tidy, tidyAsync, zeros } from '../../../tensor'
import { BitC3d } from './c3d'
import type { Config } from './config'
import type { ActionNetwork } from './model'

type State = ReadonlyMap<string, Tensor>

/** A filter over images, `[Co, Ci, kh, kw]`, over `time` frames that are alike: repeated, and divided by their number. */
export function inflate(weight: Tensor, time: number): Tensor {
  const [to = 0, from = 0, height = 0, width = 0] = weight.shape
  return weight.unsqueeze(2).expand([to, from, time, height, width]).div(time).contiguous()
}

/**
 * Loads weights of another task; the classifier keeps its own where it has another size.
 *
 * @param path `.safetensors` or `.pth`: of C3D (`conv1.weight` …, as its PyTorch port) for `c3d`, of torchvision's ResNet
 *   of 18 or 50 layers for the others
 * @returns what was loaded, for people
 * @throws ConfigError when the file is of another network
 */
export async function loadPretrained(model: ActionNetwork, config: Config, path: string): Promise<string> {
  return tidyAsync(async () => {
    const state = await readState(path)
    const loaded = initialise(model, config, state)
    return `first weights: ${loaded} tensors of ${path}`
  })
}

async function readState(path: string): Promise<State> {
  if (extname(path).toLowerCase() === '.safetensors') return readSafetensors(path)
  return stateDictOf(await loadPth(path))
}

/** The same from tensors by name. @returns how many were taken */
export function initialise(model: ActionNetwork, config: Config, state: State): number {
  return noGrad(() =>
    tidy(() => {
      const own = model.stateDict()
      const given = model instanceof BitC3d ? c3dState(state, own) : resNetState(state, own)
      const missing = [...own.keys()].filter((name) => !given.has(name) && !isOwn(name))
      if (missing.length > 0) {
        throw new ConfigError(
          `binary-3d-bitconv: the weights are not those of ${config.network.backbone === 'c3d' ? 'C3D' : 'a ResNet of as many layers'}: ${missing.length} tensors have no source, such as ${missing[0]}`,
        )
      }
      let taken = 0
      for (const [name, value] of given) {
        const target = own.get(name)
        if (target === undefined) continue
        if (String(target.shape) !== String(value.shape)) {
          if (name.startsWith('fc')) continue
          throw new ShapeError(
            `binary-3d-bitconv: ${name} is [${value.shape}] in the weights and [${target.shape}] here; take network.width=1`,
          )
        }
        target.copy_(value)
        taken += 1
      }
      return taken
    }),
  )
}

/** What no other network has: shifts, slopes, counts of batches, and the classifier. */
function isOwn(name: string): boolean {
  return (
    /(^|\.)(sign2|activation)\.|num_batches_tracked$|^fc/.test(name) ||
    /(block\d\w|stage\d\.\d+\.conv\d)\.conv\.bias$/.test(name)
  )
}

/** C3D of the names `conv3b.weight`: the biases of convolutions become those of the norms behind them. */
function c3dState(state: State, own: State): State {
  const given = new Map<string, Tensor>()
  for (const [name, value] of state) {
    const [, layer = '', part = ''] = /^(conv\d\w?|fc\d)\.(weight|bias)$/.exec(name) ?? []
    if (layer.startsWith('fc')) given.set(name, value)
    else if (layer === 'conv1' || layer === 'conv1a') given.set(`conv1a.${part}`, value)
    else if (layer !== '') {
      const block = `block${layer.slice(4)}${/\d$/.test(layer) ? 'a' : ''}`
      if (part === 'weight') given.set(`${block}.conv.weight`, value)
      else if (!own.has(`${block}.norm.bias`)) given.set(`${block}.conv.bias`, value)
      else {
        given.set(`${block}.norm.bias`, value)
        given.set(`${block}.norm.weight`, ones([value.numel]))
        given.set(`${block}.norm.running_mean`, zeros([value.numel]))
        given.set(`${block}.norm.running_var`, ones([value.numel]))
      }
    }
  }
  return given
}

const RESNET_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^conv1\./, 'stem.conv.conv.'],
  [/^bn1\./, 'stem.conv.norm.'],
  [/^layer(\d)\.(\d+)\.conv(\d)\./, 'stage$1.$2.conv$3.conv.'],
  [/^layer(\d)\.(\d+)\.bn(\d)\./, 'stage$1.$2.conv$3.norm.'],
  [/^layer(\d)\.(\d+)\.downsample\.0\./, 'stage$1.$2.downsample.conv.'],
  [/^layer(\d)\.(\d+)\.downsample\.1\./, 'stage$1.$2.downsample.norm.'],
]

/** torchvision's ResNet, its filters inflated to the length that the network has. */
function resNetState(state: State, own: State): State {
  const given = new Map<string, Tensor>()
  for (const [name, value] of state) {
    const [pattern, replacement] = RESNET_NAMES.find(([each]) => each.test(name)) ?? []
    const target = pattern === undefined ? name : name.replace(pattern, replacement ?? '')
    const time = own.get(target)?.shape[2] ?? 1
    given.set(target, value.ndim === 4 ? inflate(value, time) : value)
  }
  return given
}
