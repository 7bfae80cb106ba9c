// Photographs with noise of σ = 25: STN trained on the noisy pictures alone, beside BM3D, which is told σ, and OpenCV's fast
// non-local means. VISION_NATIVE_BENCH_PHOTOS names a folder of photographs, VISION_NATIVE_BENCH_OUTPUT one for the results.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { listImages } from '../lib/datasets'
import { readImage, writeImage } from '../lib/io'
import { comparison, SelfSupervisedDenoiser } from '../lib/models/enhancement/stn-stochastic-triplet-neighboring'
import { bm3d } from '../lib/ops'
import { cat, Generator, randn, setNumThreads, type Tensor, tidy, tidyAsync } from '../lib/tensor'
import type { Context } from './benchmarks'
import { PythonPeer } from './support/python'
import type { Row } from './support/result'

const SIGMA = 25 / 255
const SIDE = 256
/** Small crops make for more steps in the same time: on a processor this counts more than their size. */
const ADAPTATION = { crop: 64, batchSize: 2, steps: Number(process.env.VISION_NATIVE_BENCH_STEPS ?? 2000) }
const EXAMPLES = fileURLToPath(new URL('../examples/data', import.meta.url))

interface Picture {
  readonly name: string
  readonly clean: Tensor
  /** Neither rounded nor clipped. */
  readonly noisy: Tensor
}

export async function denoise({ python, threads }: Context): Promise<{ rows: Row[]; [figure: string]: unknown }> {
  setNumThreads(threads)
  const folder = await mkdtemp(join(tmpdir(), 'denoise-'))
  const output = process.env.VISION_NATIVE_BENCH_OUTPUT ?? join(folder, 'output')
  await mkdir(output, { recursive: true })
  const peer = new PythonPeer(python, 'denoise.py')
  try {
    return await tidyAsync(async () => {
      const pictures = await read(process.env.VISION_NATIVE_BENCH_PHOTOS ?? EXAMPLES)
      const started = performance.now()
      using denoiser = await SelfSupervisedDenoiser.load({ device: 'cpu', config: { adaptation: ADAPTATION } })
      const noisy = pictures.map((picture) => picture.noisy)
      let told = 0
      const results = await denoiser.batch(noisy, {
        onProgress: ({ stage, done, total }) => {
          if (stage !== 'training' || done < told) return
          told = done + total / 10
          console.error(`${done} of ${total} steps, ${((performance.now() - started) / 1000).toFixed(0)} s`)
        },
      })
      const seconds = (performance.now() - started) / 1000
      const decibels: Record<string, Readonly<Record<string, number>>> = {}
      for (const [index, picture] of pictures.entries()) {
        const learnt = results[index]?.image as Tensor
        decibels[picture.name] = await compare(picture, learnt, peer, output)
      }
      return { rows: [], decibels, mean: means(Object.values(decibels)), trainingSeconds: seconds, ...ADAPTATION }
    })
  } finally {
    peer.close()
    await rm(folder, { recursive: true })
  }
}

/** The middle of each photograph with noise of its own. */
async function read(folder: string): Promise<Picture[]> {
  const paths = await listImages(folder)
  return Promise.all(
    paths.map(async (path, index) => {
      const image = await readImage(path, { dtype: 'float32' })
      using generator = new Generator(index)
      return tidy(() => {
        const [height, width] = [image.size(1), image.size(2)]
        const [rows, columns] = [Math.min(SIDE, height), Math.min(SIDE, width)]
        const [top, left] = [Math.floor((height - rows) / 2), Math.floor((width - columns) / 2)]
        const clean = image.narrow(1, top, rows).narrow(2, left, columns).contiguous()
        const noisy = clean.add(randn([...clean.shape], { generator }).mul(SIGMA))
        return { name: basename(path, extname(path)), clean, noisy }
      })
    }),
  )
}

async function compare({ name, clean, noisy }: Picture, learnt: Tensor, peer: PythonPeer, output: string) {
  const paths = { noisy: join(output, `${name}-noisy.png`), clean: join(output, `${name}-clean.png`) }
  await writeImage(noisy.clamp({ min: 0, max: 1 }), paths.noisy)
  await writeImage(clean, paths.clean)
  const nlm = await peer.ask<{ psnr: number; strength: number }>({ ...paths, output: join(output, `${name}-nlm.png`) })
  const matched = bm3d(noisy, { sigma: SIGMA }).clamp({ min: 0, max: 1 })
  await writeImage(matched, join(output, `${name}-bm3d.png`))
  await writeImage(learnt, join(output, `${name}-stn.png`))
  const sheet = cat([noisy.clamp({ min: 0, max: 1 }), learnt, matched, clean], { dim: 2 })
  await writeImage(sheet, join(output, `${name}-sheet.png`))
  const score = (image: Tensor) => comparison(image.unsqueeze(0), clean.unsqueeze(0))
  const [before, stn, by3d] = [unclipped(noisy, clean), score(learnt), score(matched)]
  return {
    noisy: before,
    stn: stn.psnr,
    bm3d: by3d.psnr,
    fastNlm: nlm.psnr,
    fastNlmStrength: nlm.strength,
    stnSsim: stn.ssim,
    bm3dSsim: by3d.ssim,
  }
}

const unclipped = (noisy: Tensor, clean: Tensor) =>
  tidy(() => -10 * Math.log10(noisy.sub(clean).square().mean().toNumber()))

function means(rows: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = Object.keys(rows[0] ?? {})
  const mean = (name: string) => rows.reduce((sum, row) => sum + (row[name] ?? 0), 0) / rows.length
  return Object.fromEntries(names.map((name) => [name, mean(name)]))
}
