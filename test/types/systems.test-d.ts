// Read by the compiler alone (`npm run check`), never run: systems by name, their options, their pipelines.
import { expectTypeOf } from 'vitest'
import type { Tensor } from '../../lib'
import { LowLightEnhancer } from '../../lib/models/enhancement/fusion-low-light-enhancement'
import { TimeArrowDetector } from '../../lib/models/video/arrow-of-time'
import type { ImageInput, ImageResult, Pipeline, TimeArrow, VideoInput } from '../../lib/pipeline'
import { loadSystem, SYSTEMS, type SystemName } from '../../lib/registry.generated'

export async function aNameGivesItsSystem(): Promise<void> {
  const system = await loadSystem('fusion-low-light-enhancement')
  expectTypeOf(system.card.task).toEqualTypeOf<'enhance'>()
  const pipeline = await system.load({ weights: 'weights.safetensors' })
  expectTypeOf(pipeline).toEqualTypeOf<Pipeline<ImageInput, ImageResult>>()

  const arrow = await (await loadSystem('arrow-of-time')).load()
  expectTypeOf(arrow).toEqualTypeOf<Pipeline<VideoInput, TimeArrow>>()
  // The cards are there without loading anything.
  expectTypeOf(SYSTEMS['arrow-of-time'].card.task).toEqualTypeOf<'time-arrow'>()
  expectTypeOf('arrow-of-time' as const).toExtend<SystemName>()

  // @ts-expect-error there is no such system
  await loadSystem('fusion-low-light')
  // @ts-expect-error an option of another system
  await system.load({ config: { chunks: 1 } })
}

export async function trainingIsForSystemsWithParameters(): Promise<void> {
  const trained = await loadSystem('arrow-of-time')
  expectTypeOf(trained.train).toBeFunction()
  const untrained = await loadSystem('motion-microscopy')
  // @ts-expect-error it has nothing to train
  untrained.train
}

export async function pipelinesTakeTheirInputsAndGiveTheirResults(frame: Tensor<'uint8'>): Promise<void> {
  const enhancer = await LowLightEnhancer.load({ device: 'auto', config: { ablation: 'none' } })
  expectTypeOf(enhancer).toExtend<Pipeline<ImageInput, ImageResult>>()
  expectTypeOf(enhancer.run('night.jpg')).resolves.toEqualTypeOf<ImageResult>()
  expectTypeOf(enhancer.run(frame, { signal: AbortSignal.timeout(1000) })).resolves.toEqualTypeOf<ImageResult>()
  expectTypeOf(enhancer.batch(['a.jpg', frame])).resolves.toEqualTypeOf<ImageResult[]>()
  for await (const result of enhancer.stream(['a.jpg'])) expectTypeOf(result).toEqualTypeOf<ImageResult>()
  expectTypeOf((await enhancer.run(frame)).image).toEqualTypeOf<Tensor<'float32'>>()

  const arrow = await TimeArrowDetector.load()
  expectTypeOf(arrow.run({ frames: frame, fps: 25 })).resolves.toEqualTypeOf<TimeArrow>()

  // @ts-expect-error a number is no picture
  await enhancer.run(3)
  // @ts-expect-error frames without their rate are no clip
  await arrow.run({ frames: frame })
  // @ts-expect-error no value of this option
  await LowLightEnhancer.load({ config: { ablation: 'everything' } })
  // @ts-expect-error no option of this name
  await LowLightEnhancer.load({ config: { ablations: 'none' } })
  // @ts-expect-error no device of this name
  await LowLightEnhancer.load({ device: 'gpu' })
}
