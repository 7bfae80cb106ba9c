// Pipelines of systems whose objectives need no truth: without weights they train on what they are given.
import type { z } from 'zod'
import type { Module } from '../nn'
import { type Device, type Tensor, tidyAsync } from '../tensor'
import type { ConfigSchema } from './config'
import { type ImageInput, imageOf } from './inputs'
import { Pipeline, type RunOptions } from './pipeline'
import type { ImageResult } from './results'
import type { LoadedNetworks } from './system-weights'

/** Runs networks on pictures; holds what it recorded of them until it is disposed of. */
export interface ImageRunner extends Disposable {
  /** @param image `[C, H, W]` in 0–1, on the device of the networks */
  run(image: Tensor, options: RunOptions): Promise<ImageResult>
}

/** What tells one system that trains on its input from another. */
export interface SelfTraining<S extends ConfigSchema, M extends Module> {
  /** For messages. */
  readonly caller: string
  /** What the networks take of a picture `[3, H, W]`; the picture unless stated. */
  planes?(image: Tensor, config: z.output<S>): Tensor
  /** Networks trained on pictures, all together. */
  adapt(config: z.output<S>, images: readonly Tensor[], options: RunOptions & { readonly device: Device }): Promise<M>
  runner(model: M, config: z.output<S>): ImageRunner
}

/** A pipeline from picture to picture that runs the weights it was given, or else networks trained on its pictures. */
export abstract class SelfTrainingPipeline<S extends ConfigSchema, M extends Module> extends Pipeline<
  ImageInput,
  ImageResult
> {
  readonly #runner: ImageRunner

  /** @param adapts whether networks are trained on the pictures, rather than those loaded run as they are */
  protected constructor(
    private readonly method: SelfTraining<S, M>,
    private readonly loaded: LoadedNetworks<S, M>,
    private readonly adapts: boolean,
  ) {
    super()
    this.#runner = method.runner(loaded.model, loaded.config)
  }

  /** @throws the errors of `readImage`; CancelledError */
  async run(input: ImageInput, options: RunOptions = {}): Promise<ImageResult> {
    const [result] = await this.batch([input], options)
    return result as ImageResult
  }

  override async batch(inputs: readonly ImageInput[], options: RunOptions = {}): Promise<ImageResult[]> {
    const { device, config } = this.loaded
    const { caller, planes = (image: Tensor) => image } = this.method
    return tidyAsync(async () => {
      const pictures = await Promise.all(inputs.map((input) => imageOf(input, device, caller)))
      const images = pictures.map((picture) => planes(picture, config))
      if (!this.adapts) return runAll(this.#runner, images, options)
      using model = await this.method.adapt(config, images, { ...options, device })
      using runner = this.method.runner(model, config)
      return await runAll(runner, images, options)
    })
  }

  dispose(): void {
    this.#runner[Symbol.dispose]()
    this.loaded.model.dispose()
  }
}

async function runAll(runner: ImageRunner, images: readonly Tensor[], options: RunOptions): Promise<ImageResult[]> {
  const results: ImageResult[] = []
  for (const image of images) results.push(await runner.run(image, options))
  return results
}
