import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { readFlow } from '../../lib/io'
import { findLibTorch } from '../../lib/native/libtorch'
import { type CliOptions, runCli } from '../support/cli'
import { temporaryFolder } from '../support/fake-libtorch'
import { PROJECT } from '../support/installed-package'

const [WIDTH, HEIGHT] = [64, 48]
const env = { LIBTORCH: findLibTorch().root }
const cli = (args: readonly string[], options: CliOptions = {}) => runCli(['flow', ...args], { env, ...options })

/** A smooth pattern whose motion is `dx` pixels to the right. */
async function frame(path: string, dx = 0, width = WIDTH): Promise<string> {
  const pixels = Buffer.alloc(width * HEIGHT)
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < width; x++) {
      const at = x - dx
      pixels[y * width + x] = Math.round(128 + 55 * Math.sin(at / 4 + y / 9) + 55 * Math.cos(y / 5 - at / 11))
    }
  }
  await sharp(pixels, { raw: { width, height: HEIGHT, channels: 1 } })
    .png()
    .toFile(path)
  return path
}

/** A flow file of `u` pixels to the right everywhere. */
function truthBytes(u: number): Buffer {
  const file = Buffer.alloc(12 + WIDTH * HEIGHT * 8)
  file.write('PIEH', 0, 'latin1')
  file.writeInt32LE(WIDTH, 4)
  file.writeInt32LE(HEIGHT, 8)
  for (let i = 0; i < WIDTH * HEIGHT; i++) file.writeFloatLE(u, 12 + i * 8)
  return file
}

async function pair(folder: string): Promise<[first: string, second: string]> {
  return [await frame(join(folder, 'a.png')), await frame(join(folder, 'b.png'), 1)]
}

describe('vision-native flow', () => {
  test('writes a picture and a flow file, and says where and how far the motion goes', async () => {
    const folder = temporaryFolder()
    const [a, b] = await pair(folder)
    const [picture, flo] = [join(folder, 'flow.png'), join(folder, 'flow.flo')]
    const { code, stdout, stderr } = await cli([a, b, '-o', picture, '--flo', flo])
    // No progress bar, for standard error is no terminal here.
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^64 × 48, opencv-cpu on (cpu|cuda): \d+\.\d\d s, longest motion \d\.\d px\n/)
    expect(stdout).toContain(`picture: ${picture}\nflow: ${flo}\n`)
    expect(await sharp(picture).metadata()).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3 })
    const { flow } = await readFlow(flo)
    const inner = flow.narrow(1, 12, 24).narrow(2, 16, 32)
    expect(inner.select(0, 0).mean().item()).toBeCloseTo(1, 1)
    expect(inner.select(0, 1).mean().item()).toBeCloseTo(0, 1)
  })

  test('measures itself against the truth, and gives it all as JSON', async () => {
    const folder = temporaryFolder()
    const [a, b] = await pair(folder)
    const truth = join(folder, 'truth.flo')
    writeFileSync(truth, truthBytes(1))
    const { code, stdout } = await cli([a, b, '--truth', truth, '--json', '--preset', 'ipol', '--device', 'cpu'])
    expect(code).toBe(0)
    const summary = JSON.parse(stdout)
    expect(summary).toMatchObject({ width: WIDTH, height: HEIGHT, preset: 'ipol', device: 'cpu' })
    expect(summary.truth.endPointError).toBeGreaterThan(0)
    expect(summary.truth.endPointError).toBeLessThan(0.5)
    expect(Object.keys(summary.truth)).toEqual(['endPointError', 'angularErrorDegrees', 'outlierShare'])
  })

  test('draws arrows over the first frame', async () => {
    const folder = temporaryFolder()
    const [a, b] = await pair(folder)
    const picture = join(folder, 'arrows.png')
    expect(await cli([a, b, '-o', picture, '--arrows', '--threads', '1'])).toMatchObject({ code: 0, stderr: '' })
    const drawn = await sharp(picture).removeAlpha().raw().toBuffer()
    const plain = await sharp(a).toColourspace('srgb').removeAlpha().raw().toBuffer()
    expect(drawn.length).toBe(plain.length)
    const changed = drawn.filter((value, i) => value !== plain[i]).length
    expect(changed).toBeGreaterThan(0)
    expect(changed).toBeLessThan(plain.length / 2)
  })

  test.each<[string, readonly string[], RegExp]>([
    ['nothing to do', [], /nothing to do with the result; give --output, --flo, --truth or --json/],
    ['arrows without a picture', ['--arrows', '--json'], /--arrows draws into the picture; give --output too/],
    ['an unknown picture format', ['-o', 'flow.xyz'], /'\.xyz' of flow\.xyz is no known image extension; use \.png/],
    ['an unknown flow format', ['--flo', 'flow.txt'], /'\.txt' of flow\.txt is no flow format; use \.flo or \.png/],
    [
      'a folder that is not there',
      ['-o', 'no/flow.png'],
      /no\/flow\.png cannot be written: there is no folder no; make it/,
    ],
    ['an unknown preset', ['--preset', 'fast'], /Allowed choices are opencv-cpu, opencv24-cuda, opencv-cuda, ipol\./],
    ['no threads', ['--threads', '0'], /argument '0' is invalid\. It is a whole number above 0\./],
    ['an unknown device', ['--device', 'gpu', '--json'], /'gpu' is no device; use cpu, cuda, cuda:N or auto/],
  ])('ends with 2 on %s', async (_, options, message) => {
    const { code, stderr } = await cli(['a.png', 'b.png', ...options], { cwd: temporaryFolder() })
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })

  test('ends with 1 and names the file when a frame cannot be read', async () => {
    const folder = temporaryFolder()
    const [a] = await pair(folder)
    const gone = await cli([a, join(folder, 'gone.png'), '-o', join(folder, 'flow.png')])
    expect(gone).toMatchObject({ code: 1, stdout: '' })
    expect(gone.stderr).toMatch(/^error: readImage: cannot read .*gone\.png: no such file/)
    expect(gone.stderr).not.toContain('    at ')
    expect(existsSync(join(folder, 'flow.png'))).toBe(false)
  })

  test('ends with 1 and names both sizes when the frames differ', async () => {
    const folder = temporaryFolder()
    const [a] = await pair(folder)
    const wide = await frame(join(folder, 'wide.png'), 0, 80)
    const { code, stderr } = await cli([a, wide, '--json'])
    expect(code).toBe(1)
    expect(stderr).toContain('flow: a.png is 64 × 48, wide.png is 80 × 48; frames must have the same size')
  })

  test('ends with 130 on Ctrl-C and writes nothing', async () => {
    const folder = temporaryFolder()
    const data = join(PROJECT, 'examples/data')
    // Upscaled, so that there is time to interrupt it.
    const frames = await Promise.all(
      [1, 2].map(async (i) => {
        const path = join(folder, `${i}.png`)
        await sharp(join(data, `rubberwhale${i}.png`))
          .resize({ width: 2400 })
          .png({ compressionLevel: 1 })
          .toFile(path)
        return path
      }),
    )
    const before = readdirSync(folder)
    const { code, stderr } = await cli([...frames, '-o', join(folder, 'flow.png'), '--threads', '1'], {
      onSpawn(child) {
        // Once libvision_native.so is mapped the frames are being read or solved.
        const timer = setInterval(() => {
          const maps = `/proc/${child.pid}/maps`
          if (child.exitCode !== null) clearInterval(timer)
          if (!existsSync(maps) || !readFileSync(maps, 'utf8').includes('libvision_native_node.so')) return
          clearInterval(timer)
          setTimeout(() => child.kill('SIGINT'), 500)
        }, 50)
      },
    })
    expect(stderr).toContain('error: flow: cancelled; nothing was written')
    expect(code).toBe(130)
    expect(readdirSync(folder)).toEqual(before)
  })
})
