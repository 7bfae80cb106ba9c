import { ArgumentError } from '../native/errors'
import { bridge } from '../native/frame'
import { loadCudaLibraries } from '../native/load-cuda'
import { GENERATOR } from './call'
import type { Device } from './types'

/** Frees generators that are unreachable. */
const registry = new FinalizationRegistry<number>((id) => bridge().freeGenerator(id))

/** A source of random numbers of its own, for functions that take a `generator`. */
export class Generator {
  /** @internal */
  readonly [GENERATOR]: number

  /**
   * @param seed a whole number; equal seeds draw equal numbers
   * @throws DeviceError when the device is not there
   */
  constructor(seed: number | bigint, device: Device = 'cpu') {
    if (device.startsWith('cuda')) loadCudaLibraries()
    this[GENERATOR] = bridge().generator(device, toSeed(seed))
    registry.register(this, this[GENERATOR])
  }

  /** Frees it now; functions refuse it from then on. What is unreachable is freed without. */
  dispose(): void {
    bridge().freeGenerator(this[GENERATOR])
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Seeds the default generators of all devices. */
export function manualSeed(seed: number | bigint): void {
  bridge().manualSeed(toSeed(seed))
}

function toSeed(seed: number | bigint): bigint {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed)) {
    throw new ArgumentError(`seed: ${seed} is no whole number between ±2^53; pass a bigint beyond that`)
  }
  return BigInt.asIntN(64, BigInt(seed))
}
