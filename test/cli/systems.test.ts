import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { UsageError } from '../../lib/cli/command'
import { runTask, type TaskOptions } from '../../lib/cli/task'
import { writeImage } from '../../lib/io'
import { noise, scene } from '../../lib/models/enhancement/fusion-low-light-enhancement/synthetic'
import { TASK_NAMES } from '../../lib/pipeline'
import { tidyAsync } from '../../lib/tensor'
import { runCli } from '../support/cli'
import { temporaryFolder } from '../support/temporary-folder'

const folder = temporaryFolder()
const NAME = 'fusion-low-light-enhancement'
const TINY = [
  ...['--set', 'training.crop=32', 'training.brightness.epochs=1', 'training.fusion.epochs=1'],
  ...['training.brightness.batchSize=2', 'training.fusion.batchSize=2'],
]

beforeAll(async () => {
  mkdirSync(folder('dark'))
  await tidyAsync(async () => {
    for (const index of [0, 1]) {
      const dark = scene(40).mul(0.2).add(noise(40, index).mul(0.01))
      await writeImage(dark, folder('dark', `${index}.png`))
    }
  })
})

describe('vision-native list and info', () => {
  test('list names every system with its task; --task chooses, --json is for programs', async () => {
    const all = await runCli(['list'])
    expect(all.stdout).toMatch(new RegExp(`${NAME} +enhance`))
    const { stdout } = await runCli(['list', '--task', 'enhance', '--json'])
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({ name: NAME, family: 'enhancement', task: 'enhance' }),
    ])
  })

  test('info prints paper, counts, results and options', async () => {
    const { stdout, code } = await runCli(['info', NAME])
    expect(code).toBe(0)
    for (const part of ['MMM 2023', '75,716', '20.0607', 'training.brightness.epochs', 'eval15'])
      expect(stdout).toContain(part)
  })

  test('a name that is none is wrong usage, with the nearest', async () => {
    const { code, stderr } = await runCli(['info', 'fusion-low-light'])
    expect(code).toBe(2)
    expect(stderr).toContain(`the nearest names are ${NAME}`)
  })
})

describe('vision-native train, evaluate and a task', () => {
  test('train on a folder, then enhance with its weights, and evaluate on synthetic pictures', {
    timeout: 240_000,
  }, async () => {
    const run = folder('run')
    const trained = await runCli([
      'train',
      NAME,
      '--data',
      folder('dark'),
      '--folder',
      run,
      '--device',
      'cpu',
      '--json',
      ...TINY,
    ])
    expect(trained.stderr).toBe('')
    expect(trained.code).toBe(0)
    expect(JSON.parse(trained.stdout)).toMatchObject({ system: NAME, weights: `${run}/weights.safetensors` })
    for (const file of ['config.json', 'brightness/log.jsonl', 'fusion/checkpoints/last.pth']) {
      expect(existsSync(folder('run', file)), file).toBe(true)
    }
    const weights = ['--weights', `${run}/weights.safetensors`]

    const output = folder('bright.png')
    const one = await runCli(['enhance', folder('dark/0.png'), '-o', output, ...weights])
    expect(one.code).toBe(0)
    expect(one.stdout).toMatch(/40 × 40 pixels, sigma .*written: .*bright\.png/s)
    expect(await sharp(output).metadata()).toMatchObject({ width: 40, height: 40 })

    mkdirSync(folder('out'))
    const both = await runCli([
      'enhance',
      folder('dark/0.png'),
      folder('dark/1.png'),
      '-o',
      folder('out'),
      '--json',
      ...weights,
    ])
    const { results } = JSON.parse(both.stdout)
    expect(results).toHaveLength(2)
    expect(results[1]).toMatchObject({ output: folder('out/1.png'), result: { width: 40, height: 40 } })

    const made = await runCli(['enhance', folder('dark/0.png'), '-o', `${folder('made/deep')}/`, ...weights])
    expect(made.code).toBe(0)
    expect(await sharp(folder('made/deep/0.png')).metadata()).toMatchObject({ width: 40, height: 40 })

    const evaluated = await runCli(['evaluate', NAME, '--data', 'synthetic', '--json', ...weights])
    expect(JSON.parse(evaluated.stdout)).toMatchObject({
      system: NAME,
      samples: 4,
      metrics: { psnr: expect.any(Number) },
    })

    const again = await runCli(['train', NAME, '--data', folder('dark'), '--folder', run, ...TINY])
    expect(again.code).toBe(1)
    expect(again.stderr).toMatch(/holds a run; resume it \(--resume\)/)
    const other = await runCli([
      'train',
      NAME,
      '--data',
      folder('dark'),
      '--folder',
      run,
      '--resume',
      ...TINY,
      'training.seed=5',
    ])
    expect(other.stderr).toMatch(/config\.training\.seed: 0 there, 5 asked for/)
  })

  test('a data set with broken files names them all, and leaves them out when asked', async () => {
    mkdirSync(folder('broken'))
    copyFileSync(folder('dark/0.png'), folder('broken/a.png'))
    writeFileSync(folder('broken/b.png'), 'no picture')
    await sharp({ create: { width: 8, height: 40, channels: 3, background: '#111' } })
      .png()
      .toFile(folder('broken/c.png'))
    const args = [
      'train',
      NAME,
      '--data',
      folder('broken'),
      '--folder',
      folder('broken-run'),
      '--device',
      'cpu',
      ...TINY,
    ]
    const { code, stderr } = await runCli(args)
    expect(code).toBe(1)
    expect(stderr).toMatch(/2 of 3 files cannot be used/)
    expect(stderr).toMatch(/b\.png: /)
    expect(stderr).toMatch(/c\.png: 8 × 40 pixels; the least side is 16/)
    // What made nothing holds no run: the same folder serves.
    const skipped = await runCli([...args, '--skip-broken'])
    expect(skipped.code).toBe(0)
    expect(skipped.stderr).toMatch(/They are left out, as asked/)
  })

  const PHOTO = 'examples/data/rubberwhale1.png'
  test.each<readonly [string, Partial<TaskOptions>, RegExp]>([
    ['none.png', { output: 'out.png' }, /there is no file none\.png/],
    [PHOTO, {}, /give -o with a \.png, \.jpg/],
    [PHOTO, { output: 'out.mp4' }, /'\.mp4' of out\.mp4 is not what enhance writes/],
    [PHOTO, { output: 'nowhere/out.png' }, /there is no folder nowhere; make it first/],
    [PHOTO, { output: PHOTO }, /is the input; name another file/],
    [PHOTO, { output: 'package.json/' }, /package\.json is a file, not a folder; name another/],
    [PHOTO, { output: 'o.png', set: ['adaptation.step=3'] }, /adaptation\.step is no key/],
    [PHOTO, { output: 'o.png', set: ['ablation'] }, /'ablation' is no setting/],
    [PHOTO, { output: 'o.png', config: 'none.json' }, /cannot read none\.json/],
    [PHOTO, { output: 'o.png', device: 'gpu' }, /'gpu' is no device/],
    [PHOTO, { output: 'o.png', model: 'enhance-net' }, /there is no system 'enhance-net'/],
    [
      PHOTO,
      { output: 'o.png', model: 'arrow-of-time' },
      /arrow-of-time does not enhance; it is for `vision-native time-arrow`/,
    ],
  ])('enhance %s with %j is wrong usage', async (file, options, message) => {
    const run = runTask(
      'enhance',
      [file],
      { set: [], device: 'auto', ...options },
      { signal: new AbortController().signal },
    )
    const error = await run.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UsageError)
    expect((error as Error).message).toMatch(message)
  })

  test('wrong usage ends with 2; every task has its command, with an example', async () => {
    const { code } = await runCli(['enhance', PHOTO])
    expect(code).toBe(2)
    const { stdout } = await runCli(['--help'])
    for (const task of TASK_NAMES) expect(stdout).toMatch(new RegExp(`^  ${task} `, 'm'))
    const help = await runCli(['time-arrow', '--help'])
    expect(help.stdout).toContain('$ vision-native time-arrow')
  })
})
