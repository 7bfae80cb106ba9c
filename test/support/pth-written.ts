import { fileURLToPath } from 'node:url'
import { loadPth, type PthValue } from '../../lib/io'
import { optimizerStateOf } from '../../lib/io/pth-state-dict'
import { AdamW, RMSprop, SGD } from '../../lib/optim'
import { arange, Complex, full, type Tensor, tensor, zeros } from '../../lib/tensor'

/** Made by tools/reference/pth.py. */
export const pthFixture = (name: string) => fileURLToPath(new URL(`../fixtures/pth/${name}`, import.meta.url))

const FLOATS = [0, -0, 1, -2.5, 1 / 3, 65504, 6e-8, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]

/** What tools/reference/pth.py saved of an optimiser: parameters and state after two steps, and what the third gives. */
export interface SavedOptimizer {
  readonly params: readonly Tensor[]
  readonly optimizer: PthValue
  readonly gradients: readonly Tensor[]
  readonly after: readonly Tensor[]
}

type Made = SGD | AdamW | RMSprop

/** The optimisers of tools/reference/pth.py, on given parameters. */
export const OPTIMIZERS: Readonly<Record<string, (params: readonly Tensor[]) => Made>> = {
  SGD: (p) => new SGD(groups(p), { lr: 0.1, momentum: 0.9, nesterov: true }),
  AdamW: (p) => new AdamW(groups(p), { lr: 0.01, weightDecay: 0.1, amsgrad: true }),
  RMSprop: (p) => new RMSprop(groups(p), { lr: 0.01, centered: true, momentum: 0.5 }),
}

function groups(params: readonly Tensor[]) {
  return [{ params: params.slice(0, 1) }, { params: params.slice(1), lr: 0.05 }]
}

/** An optimiser that took over what Python saved, with its parameters. */
export async function resumed(name: string): Promise<{ saved: SavedOptimizer; params: Tensor[]; optimizer: Made }> {
  const file = (await loadPth(pthFixture('optimizers-zip.pth'))) as unknown as Readonly<Record<string, SavedOptimizer>>
  const saved = file[name] as SavedOptimizer
  const params = saved.params.map((p) => p.clone().requiresGrad_())
  const optimizer = (OPTIMIZERS[name] as (params: readonly Tensor[]) => Made)(params)
  optimizer.loadStateDict(optimizerStateOf(saved.optimizer))
  return { saved, params, optimizer }
}

/** A value of everything that a PyTorch file may hold; tools/reference/pth_written.py knows what Python must see. */
export async function valueToWrite(): Promise<PthValue> {
  const base = arange(12).reshape([3, 4])
  const list = [1, 2]
  const optimizers = await Promise.all(
    Object.keys(OPTIMIZERS).map(async (name) => {
      const { params, optimizer } = await resumed(name)
      return [name, { params, optimizer: optimizer.stateDict() as unknown as PthValue }] as const
    }),
  )
  return {
    types: new Map<string, PthValue>([
      ...(['float16', 'bfloat16', 'float32', 'float64'] as const).map((dtype): [string, PthValue] => [
        dtype,
        tensor(FLOATS, { dtype }),
      ]),
      ['complex64', tensor([new Complex(1, 2), new Complex(0, -0.5)])],
      ['int8', tensor([-128, 127], { dtype: 'int8' })],
      ['int16', tensor([-32768, 32767], { dtype: 'int16' })],
      ['int32', tensor([-(2 ** 31), 2 ** 31 - 1], { dtype: 'int32' })],
      ['int64', tensor([-(2n ** 63n), 2n ** 63n - 1n, 5n])],
      ['uint8', tensor([0, 255, 7], { dtype: 'uint8' })],
      ['bool', tensor([[true, false, true]])],
      ['scalar', tensor(3.5)],
      ['empty', zeros([0, 3])],
    ]),
    shared: {
      base,
      row: base.at(1),
      turned: base.t(),
      again: base,
      expanded: tensor([[1], [2]]).expand([2, 3]),
      parameter: full([2], 7).requiresGrad_(),
      conjugated: tensor([new Complex(1, 2)]).conj(),
    },
    values: {
      small: 7,
      negative: -3,
      word: 70000,
      long: 2 ** 40,
      large: 2n ** 53n + 1n,
      huge: -(2n ** 70n),
      float: 0.1,
      whole: 2,
      zero: -0,
      inf: Number.POSITIVE_INFINITY,
      complex: new Complex(1, -2),
      text: 'grüße \u{1f600}',
      empty: '',
      bytes: Uint8Array.of(0, 255, 128, 97),
      none: null,
      yes: true,
      no: false,
      list: [1, [2, [3, []]]],
      tuple: Object.freeze([0.9, 0.999]),
      nothing: Object.freeze([]),
      set: new Set([3]),
      numbers: { 0: 'a', 5: 'b' },
      mixed: new Map<PthValue & (string | number | null), PthValue>([
        [1, 'a'],
        ['x', 'b'],
        [null, 'c'],
        [-1, 'd'],
      ]),
      ordered: new Map([
        ['z', 1],
        ['a', 2],
      ]),
      first: list,
      second: list,
    },
    network: ((await loadPth(pthFixture('network-zip.pth'))) as { readonly state_dict: PthValue }).state_dict,
    optimizers: Object.fromEntries(optimizers),
  }
}
