import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type ReadVideoOptions, readAudio, readClip, readVideo, videoInfo } from '../../lib/io'
import { runChild } from '../support/child'
import { numbersIn } from '../support/numbered-frames'
import { temporaryFolder } from '../support/temporary-folder'

const inFolder = temporaryFolder()
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/video/${name}`, import.meta.url))
const bFrames = fixture('b-frames.mp4')

const count = async (source: string | Uint8Array, options: ReadVideoOptions = {}) => {
  let [frames, skipped] = [0, 0]
  for await (using chunk of readVideo(source, options)) {
    frames += chunk.timestampsS.length
    skipped = chunk.skipped
  }
  return { frames, skipped }
}

describe('files that are no video', () => {
  test.each([
    ['missing.mp4', undefined, 'Argument', /no such file or folder/],
    ['empty.mp4', '', 'Format', /is empty \(0 bytes\)/],
    ['text.mp4', 'A letter that somebody renamed.\n'.repeat(100), 'Format', /no video or audio that FFmpeg reads/],
    // What makes FFmpeg open other files and addresses must not be opened, whatever the file is called.
    [
      'playlist.mp4',
      '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n',
      'Format',
      /no video or audio/,
    ],
    ['concat.mp4', `ffconcat version 1.0\nfile '${bFrames}'\n`, 'Format', /no video or audio/],
    [
      'session.mp4',
      'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n',
      'Format',
      /no video/,
    ],
  ] as const)('%s', async (name, content, kind, message) => {
    const path = inFolder(name)
    if (content !== undefined) writeFileSync(path, content)
    for (const read of [() => videoInfo(path), () => count(path), () => readClip(path), () => readAudio(path)]) {
      await expect(read()).rejects.toMatchObject({ kind, message: expect.stringMatching(message) })
    }
  })

  test('a folder, a pipe, a device, an address, no path at all', async () => {
    mkdirSync(inFolder('folder'))
    execFileSync('mkfifo', [inFolder('pipe')])
    const cases: [unknown, string, RegExp][] = [
      [inFolder('folder'), 'Argument', /is a folder/],
      [inFolder('pipe'), 'Argument', /not a regular file/],
      ['/dev/zero', 'Argument', /not a regular file/],
      ['http://127.0.0.1:9/x.mp4', 'Argument', /fetch it first/],
      ['concat:/etc/passwd', 'Argument', /no such file/],
      ['a\0b', 'Argument', /NUL character/],
      ['', 'Argument', /the path is empty/],
      [7, 'Argument', /takes a path, a file: URL or a Uint8Array, got number/],
      [new Uint8Array(0), 'Format', /buffer is empty/],
    ]
    for (const [source, kind, message] of cases) {
      await expect(videoInfo(source as string)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) })
    }
  })

  test('a file with sound only names what to call', async () => {
    const audio = fileURLToPath(new URL('../fixtures/audio/trumpet.wav', import.meta.url))
    await expect(count(audio)).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringMatching(/no video stream; it holds pcm_s16le audio: use readAudio/),
    })
  })
})

describe('damaged and hostile files', () => {
  test('a file cut off before its index', async () => {
    const bytes = readFileSync(bFrames)
    await expect(count(bytes.subarray(0, bytes.indexOf('moov') + 20))).rejects.toMatchObject({ kind: 'Format' })
  })

  test('a file cut off in its pictures throws, or gives what is there and says what is not', async () => {
    // Matroska comes in order, MP4 has its index at the end here; so the pictures are cut out of the middle.
    const whole = readFileSync(fixture('hand-bottle.mp4'))
    const index = whole.indexOf('mdat')
    expect(index).toBeGreaterThan(0)
    const moov = whole.indexOf('moov')
    const cut = moov < index ? whole.subarray(0, Math.floor(whole.length * 0.6)) : undefined
    if (cut) {
      await expect(count(cut)).rejects.toMatchObject({
        kind: 'Format',
        message: expect.stringMatching(/is damaged at about .* s/),
      })
      const { frames, skipped } = await count(cut, { onCorrupt: 'skip' })
      expect(frames).toBeGreaterThan(30)
      expect(frames).toBeLessThan(80)
      expect(skipped).toBeGreaterThan(0)
    }
  })

  test('a damaged middle throws with the time, or is left out and counted', async () => {
    const bytes = Buffer.from(readFileSync(fixture('hand-bottle.mp4')))
    const start = bytes.indexOf('mdat') + 4
    const middle = start + Math.floor((bytes.length - start) / 2)
    for (let i = 0; i < 6000; i++) bytes[middle + i] = (i * 37) % 256
    await expect(count(bytes)).rejects.toMatchObject({
      kind: 'Format',
      message: expect.stringMatching(/damaged at about \d\.\d+ s: .*onCorrupt: 'skip'/),
    })
    const { frames, skipped } = await count(bytes, { onCorrupt: 'skip' })
    expect(frames).toBeGreaterThan(40)
    expect(frames).toBeLessThan(89)
    expect(skipped).toBeGreaterThan(0)
  })

  test('a size that a file only claims is refused before it is allocated', async () => {
    const bytes = Buffer.from(readFileSync(bFrames))
    // The sample description: 8 bytes of size and type, 24 of reserved fields, then width and height.
    const entry = bytes.indexOf('avc1', bytes.indexOf('stsd'))
    expect([bytes.readUInt16BE(entry + 28), bytes.readUInt16BE(entry + 30)]).toEqual([128, 64])
    bytes.writeUInt16BE(65535, entry + 28)
    bytes.writeUInt16BE(65535, entry + 30)
    for (const read of [() => videoInfo(bytes), () => count(bytes)]) {
      await expect(read()).rejects.toMatchObject({
        kind: 'Format',
        message: expect.stringMatching(/65535 × 65535 = 4294836225 pixels, more than 33554432; .*limits\.maxPixels/),
      })
    }
  })

  test('the limits of the caller hold', async () => {
    const cases: [() => Promise<unknown>, RegExp][] = [
      [() => count(bFrames, { limits: { maxPixels: 128 * 64 - 1 } }), /128 × 64 = 8192 pixels, more than 8191/],
      [() => count(bFrames, { limits: { maxFrames: 59 } }), /has 60 frames, more than 59; .*limits\.maxFrames/],
      [() => count(bFrames, { limits: { maxDurationS: 2 } }), /has 2\.4 seconds, more than 2; .*limits\.maxDurationS/],
      [
        () => readClip(bFrames, { limits: { maxBytes: 1e6 } }),
        /bytes of pixels, more than 1000000; .*limits\.maxBytes/,
      ],
      [() => count(bFrames, { width: 30000, height: 30000 }), /30000 × 30000 pixels are asked for/],
    ]
    for (const [call, message] of cases) await expect(call()).rejects.toThrow(message)
    expect(await count(bFrames, { endFrame: 50, limits: { maxFrames: 50 } })).toEqual({ frames: 50, skipped: 0 })
    expect(await count(bFrames, { endS: 1, limits: { maxDurationS: 1 } })).toEqual({ frames: 25, skipped: 0 })
  })

  test.each([
    [{ chunkFrames: 0 }, /chunkFrames is 0/],
    [{ everyNth: 1.5 }, /everyNth is 1.5/],
    [{ fps: -1 }, /fps is -1/],
    [{ fps: 5, everyNth: 2 }, /fps goes with startS and endS only/],
    [{ startS: 1, startFrame: 1 }, /in seconds or in frames, not both/],
    [{ startS: 2, endS: 1 }, /is empty/],
    [{ startFrame: 2, endFrame: 2 }, /is empty/],
    [{ startS: Number.NaN }, /startS is NaN/],
    [{ width: 10, shortSide: 10 }, /but not several/],
    [{ width: 0 }, /width is 0/],
    [{ layout: 'HWC' as 'THWC' }, /layout 'HWC' is not known; use THWC or TCHW/],
    [{ limits: { timeoutMs: -1 } }, /limits\.timeoutMs is -1/],
  ])('the option %o is refused at once', (options, message) => {
    expect(() => readVideo(bFrames, options)).toThrow(message)
  })
})

describe('stopping', () => {
  test('an abort before, and between chunks', async () => {
    await expect(count(bFrames, { signal: AbortSignal.abort('no') })).rejects.toMatchObject({
      kind: 'Cancelled',
      cause: 'no',
    })
    const controller = new AbortController()
    const read = async () => {
      for await (using chunk of readVideo(bFrames, { chunkFrames: 4, signal: controller.signal })) {
        expect(chunk.index).toBeLessThanOrEqual(8)
        if (chunk.index === 8) controller.abort('enough')
      }
    }
    await expect(read()).rejects.toMatchObject({ kind: 'Cancelled', cause: 'enough' })
  })

  test('an abort while frames are decoded', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort('late'), 30)
    await expect(
      count(fixture('hand-bottle.mp4'), {
        chunkFrames: 89,
        threads: 1,
        width: 1280,
        height: 720,
        signal: controller.signal,
      }),
    ).rejects.toMatchObject({ kind: 'Cancelled', cause: 'late' })
  })

  test('a step that takes longer than the limit', async () => {
    const slow = { chunkFrames: 89, threads: 1, width: 2560, height: 1440, limits: { timeoutMs: 60 } }
    await expect(count(fixture('hand-bottle.mp4'), slow)).rejects.toMatchObject({
      kind: 'Cancelled',
      message: expect.stringMatching(/not done within 60 ms; .*limits\.timeoutMs/),
    })
  })
})

test('the package works without node-av, and says what to install where it is needed', async () => {
  const hook = `export async function resolve(name, context, next) {
    if (name.startsWith('node-av')) throw Object.assign(new Error('Cannot find package ' + name), { code: 'ERR_MODULE_NOT_FOUND' })
    return next(name, context)
  }`
  const url = (code: string) => `data:text/javascript,${encodeURIComponent(code)}`
  const register = `import { register } from 'node:module'; register(${JSON.stringify(url(hook))})`
  const script = `
    import { readAudio, readVideo, videoInfo } from 'lib/io'
    const told = async (run) => run().then(() => 'done', (error) => error.kind + ': ' + error.message)
    const path = ${JSON.stringify(bFrames)}
    console.log(JSON.stringify([
      await told(() => videoInfo(path)), await told(() => readVideo(path).next()), await told(() => readAudio(path)),
    ]))`
  const { code, stdout, stderr } = await runChild(script, { flags: ['--import', url(register)] })
  expect([code, stderr]).toEqual([0, ''])
  for (const told of JSON.parse(stdout) as string[]) {
    expect(told).toMatch(/^Load: \w+: .*optional package node-av .*not installed; run: npm install node-av$/)
  }
})

test('mutated files give frames, sound or a typed error, and leave no memory behind', {
  timeout: 240_000,
}, async () => {
  const script = `
    import { readFileSync } from 'node:fs'
    import { readAudio, readVideo, videoInfo } from 'lib/io'
    import { memory } from 'lib/tensor'
    const files = ${JSON.stringify([bFrames, fixture('open-gop.mkv'), fixture('transport.mpegts')])}.map((path) => readFileSync(path))
    const wav = readFileSync(${JSON.stringify(fileURLToPath(new URL('../fixtures/audio/trumpet.wav', import.meta.url)))}).subarray(0, 20000)
    wav.writeUInt32LE(19956, 40)
    let state = 12345
    const random = (n) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % n
    const outcomes = {}
    for (let i = 0; i < 200; i++) {
      const sound = i % 4 === 3
      const bytes = Buffer.from(sound ? wav : files[i % 4])
      // The first hundreds of bytes, where headers are, are hit as often as all the rest.
      for (let k = 0; k < 1 + random(12); k++) bytes[random(2) ? random(Math.min(600, bytes.length)) : random(bytes.length)] = random(256)
      const source = i % 5 === 0 ? bytes.subarray(0, random(bytes.length) + 1) : bytes
      const limits = { maxFrames: 500, maxBytes: 2 ** 28, timeoutMs: 20_000 }
      const onCorrupt = i % 2 ? 'skip' : 'throw'
      try {
        if (sound) (await readAudio(source, { limits, onCorrupt, sampleRate: i % 3 ? undefined : 16000 })).samples.dispose()
        else {
          await videoInfo(source)
          const range = i % 3 === 0 ? { startFrame: 7 } : i % 3 === 1 ? { startS: 0.7 } : { fps: 10 }
          for await (using chunk of readVideo(source, { limits, onCorrupt, chunkFrames: 8, ...range }));
        }
        outcomes.success = (outcomes.success ?? 0) + 1
      } catch (error) {
        const kind = error.kind ?? 'untyped: ' + error.stack
        outcomes[kind] = (outcomes[kind] ?? 0) + 1
      }
    }
    console.log(JSON.stringify({ outcomes, tensors: memory.stats().tensors }))`
  const { code, signal, stdout, stderr } = await runChild(script)
  expect([code, signal, stderr]).toEqual([0, null, ''])
  const { outcomes, tensors } = JSON.parse(stdout) as { outcomes: Record<string, number>; tensors: number }
  console.log(outcomes)
  expect(tensors).toBe(0)
  const { success = 0, Format = 0, Argument = 0, Cancelled = 0, ...untyped } = outcomes
  expect(untyped).toEqual({})
  expect(success + Format + Argument + Cancelled).toBe(200)
  expect(success).toBeGreaterThan(20)
  expect(Format).toBeGreaterThan(20)
})

test('resident memory stays flat over 200 files opened and left', { timeout: 240_000 }, async () => {
  const script = `
    import { readVideo, readAudio } from 'lib/io'
    const [video, audio] = ${JSON.stringify([bFrames, fileURLToPath(new URL('../fixtures/audio/trumpet.wav', import.meta.url))])}
    const stretch = async () => {
      for (let i = 0; i < 50; i++) {
        for await (using chunk of readVideo(video, { chunkFrames: 4, threads: 2 })) if (chunk.index >= 4) break
        const { samples } = await readAudio(audio, { sampleRate: 16000 })
        samples.dispose()
      }
      gc()
      return process.memoryUsage().rss
    }
    const rss = []
    for (let i = 0; i < 4; i++) rss.push(await stretch())
    console.log(JSON.stringify(rss))`
  const { code, stdout, stderr } = await runChild(script, { flags: ['--expose-gc'] })
  expect([code, stderr]).toEqual([0, ''])
  const rss = JSON.parse(stdout) as number[]
  // A decoder of this clip holds some megabytes: one that stayed open each time would make hundreds.
  expect((rss[3] as number) - (rss[1] as number)).toBeLessThan(60e6)
})

test('a clip read after all of that is as it was', async () => {
  const { frames } = await readClip(bFrames, { startFrame: 40, endFrame: 42 })
  expect(numbersIn(frames)).toEqual([40, 41])
  frames.dispose()
})
