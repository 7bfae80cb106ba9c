// From files to files: the command, and the evaluation of a folder of videos with sensors.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readClip, videoInfo, writeVideo } from '../../../lib/io'
import { MotionEstimator, system } from '../../../lib/models/magnification/motion-microscopy'
import { texture } from '../../../lib/models/magnification/motion-microscopy/synthetic'
import { findLibTorch } from '../../../lib/native/libtorch'
import { parseConfig } from '../../../lib/pipeline'
import { memory, stack, type Tensor, tidy, tidyAsync } from '../../../lib/tensor'
import { runCli } from '../../support/cli'
import { temporaryFolder } from '../../support/temporary-folder'

const folder = temporaryFolder()
const env = { LIBTORCH: findLibTorch().root }
const FPS = 24
const sway = (seconds: number, amplitude: number) => amplitude * Math.sin(2 * Math.PI * 3 * seconds)

/** A lossless clip of the texture that swings sideways by `amplitude` px at 3 Hz, two seconds of it. */
async function swingingClip(path: string, amplitude: number): Promise<string> {
  await tidyAsync(async () => {
    const frames = Array.from({ length: 2 * FPS }, (_, t) => {
      const grey = texture(sway(t / FPS, amplitude), 0)
        .narrow(0, 0, 64)
        .narrow(1, 0, 80)
      return grey.unsqueeze(0).expand([3, 64, 80])
    })
    await writeVideo(stack(frames).clamp({ min: 0, max: 1 }), path, { fps: FPS, layout: 'TCHW', codec: 'ffv1' })
  })
  return path
}

/** Mean motion to the right of each frame of a clip, in its middle. */
async function measured(path: string): Promise<number[]> {
  return tidyAsync(async () => {
    const { frames } = await readClip(path, { layout: 'TCHW' })
    const grey = frames.select(1, 1).to('float32').div(255)
    using estimator = new MotionEstimator(grey.select(0, 0))
    return Array.from({ length: grey.size(0) }, (_, t) =>
      tidy(() => {
        const motion: Tensor = estimator.measure(grey.narrow(0, t, 1)).select(1, 0)
        return motion.narrow(1, 20, 24).narrow(2, 20, 40).mean().item() as number
      }),
    )
  })
}

describe('vision-native magnify', () => {
  test('motion of 0.05 px becomes ten times as large, on a clip from a file to a file', async () => {
    const input = await swingingClip(folder('swing.mkv'), 0.05)
    const output = folder('magnified.mkv')
    const options = ['--set', 'magnification=10', '--set', 'band=[2,4]', '--set', 'filter=ideal']
    const { code, stdout } = await runCli(['magnify', input, '-o', output, ...options, '--json', '--device', 'cpu'], {
      env,
    })
    expect(code).toBe(0)
    const printed = JSON.parse(stdout)
    expect(printed.model).toBe('motion-microscopy')
    expect(printed.results[0].result).toMatchObject({ frames: 48, fps: FPS, magnification: 10 })
    const [before, after] = [await measured(input), await measured(output)]
    const amplitude = (values: readonly number[]) =>
      Math.hypot(
        ...[Math.cos, Math.sin].map((wave) =>
          values.reduce((sum, value, t) => sum + (value * wave((2 * Math.PI * 3 * t) / FPS)) / FPS, 0),
        ),
      )
    expect(amplitude(before)).toBeCloseTo(0.05, 2)
    // The estimator reads magnified coefficients low, by 1 + 0.91 (M − 1); the file is in H.264 of 8 bits.
    const gain = amplitude(after) / amplitude(before)
    expect(gain).toBeGreaterThan(8)
    expect(gain).toBeLessThan(10.5)
  })

  test('a small clip of a real scene comes out with its size, rate and length', async () => {
    const input = folder('hands.mp4')
    await tidyAsync(async () => {
      const source = new URL('../../fixtures/video/hand-bottle.mp4', import.meta.url)
      const { frames } = await readClip(source, { layout: 'TCHW', width: 96, height: 54, endFrame: 12 })
      await writeVideo(frames, input, { fps: 30, layout: 'TCHW' })
    })
    const output = folder('hands-magnified.mp4')
    const { code, stdout } = await runCli(['magnify', input, '-o', output, '--set', 'band=[2,6]', '--device', 'cpu'], {
      env,
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/12 frames, 30 a second, motions magnified 20 times/)
    expect(await videoInfo(output)).toMatchObject({ width: 96, height: 54, frameCount: 12, fps: 30 })
  })

  test('says what is wrong, and leaves no file', async () => {
    const input = await swingingClip(folder('short.mkv'), 0)
    const output = folder('none.mp4')
    const beyond = await runCli(['magnify', input, '-o', output, '--set', 'band=[2,40]'], { env })
    expect(beyond.code).toBe(1)
    expect(beyond.stderr).toMatch(/below 12 Hz/)
    writeFileSync(folder('no.mp4'), 'this is no video')
    const broken = await runCli(['magnify', folder('no.mp4'), '-o', output], { env })
    expect(broken.code).toBe(1)
    expect(broken.stderr).toMatch(/no\.mp4/)
    expect(existsSync(output)).toBe(false)
  })
})

test('a folder of videos with sensors is evaluated, broken records named and left out when asked', async () => {
  const before = memory.stats().tensors
  const records = folder('records')
  mkdirSync(records)
  await swingingClip(`${records}/beam.mkv`, 0.05)
  const readings = Array.from({ length: 400 }, (_, i) => `${i / 200},${sway(i / 200, 2.5)}`)
  writeFileSync(`${records}/beam.csv`, `t,value\n${readings.join('\n')}\n`)
  const description = { point: [40, 32], sensor: 'displacement', lagS: 0 }
  writeFileSync(`${records}/beam.json`, JSON.stringify(description))
  writeFileSync(`${records}/lost.json`, JSON.stringify(description))
  const config = parseConfig(system.config, { noise: { frames: 2 } }, 'test')
  const notes: string[] = []
  const request = { config, data: records, device: 'cpu', note: (text: string) => notes.push(text) } as const
  await expect(system.evaluate(request)).rejects.toThrow(/1 of 2 records cannot be read:\n {2}lost: there is no video/)
  const { samples, metrics } = await tidyAsync(() => system.evaluate({ ...request, skipBroken: true }))
  expect(samples).toBe(1)
  expect(metrics.correlation).toBeGreaterThan(0.99)
  expect(notes[0]).toMatch(/left out: 1 of 2/)
  // 2.5 units are 0.05 px.
  expect(notes[1]).toMatch(/beam: correlation 0\.99\d|beam: correlation 1\.000/)
  expect(Math.abs(Number(/([\d.]+) px a unit/.exec(notes[1] ?? '')?.[1]) / 0.02 - 1)).toBeLessThan(0.1)
  expect(memory.stats().tensors).toBe(before)
})
