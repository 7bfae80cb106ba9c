import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename, dirname, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Progress } from '../../lib/tensor'
import { download } from '../../lib/weights'
import { proxyFor } from '../../lib/weights/proxy'
import { asNobody } from '../support/as-nobody'
import {
  answering,
  type Behaviour,
  close,
  corrupting,
  cutAfter,
  type FileServer,
  ignoringRange,
  listen,
  serveFile,
  well,
} from '../support/file-server'
import { temporaryFolder } from '../support/temporary-folder'

const PROJECT = resolve(import.meta.dirname, '../..')
const folder = temporaryFolder()
const CONTENT = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 24))
const QUICK = { timeoutMs: 250, retryDelayMs: 1, env: {} }

let count = 0
let server: FileServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function serve(...behaviours: Behaviour[]): Promise<{ server: FileServer; path: string }> {
  server = await serveFile(CONTENT, ...behaviours)
  return { server, path: folder(`${count++}`, 'file.pth') }
}

/** What a download left besides the file itself. */
const leftovers = (path: string) => readdirSync(dirname(path)).filter((name) => name !== basename(path))

describe('download', () => {
  test('writes the file whole, tells its checksum and how far it is', async () => {
    const { server, path } = await serve(well)
    const progress: Progress[] = []
    const done = await download(server.url, path, server, { ...QUICK, onProgress: (p) => progress.push(p) })
    expect(done).toEqual({ sha256: server.sha256, bytes: 300_000 })
    expect(readFileSync(path).equals(CONTENT)).toBe(true)
    expect(progress.at(-1)).toEqual({ stage: 'download', done: 300_000, total: 300_000 })
    expect(leftovers(path)).toEqual([])
  })

  test.each(['close', 'stall'] as const)('goes on behind what came when the connection ends: %s', async (how) => {
    const { server, path } = await serve(cutAfter(100_000, how), cutAfter(50_000, how), well)
    await download(server.url, path, server, QUICK)
    const [first, second = 0, third = 0] = server.ranges
    expect(first).toBe(0)
    // What was under way when the connection broke may be lost.
    expect(second).toBeGreaterThan(0)
    expect(third).toBeGreaterThanOrEqual(second)
    expect(server.ranges).toHaveLength(3)
    expect(readFileSync(path).equals(CONTENT)).toBe(true)
  })

  test('goes on where an earlier call was cancelled, and keeps nothing under the name until then', async () => {
    const { server, path } = await serve(cutAfter(120_000, 'stall'), well)
    const abort = new AbortController()
    const cancelled = download(server.url, path, server, {
      ...{ ...QUICK, timeoutMs: 60_000, signal: abort.signal },
      onProgress: ({ done }) => done >= 120_000 && abort.abort(),
    })
    await expect(cancelled).rejects.toMatchObject({ kind: 'Cancelled' })
    expect(existsSync(path)).toBe(false)
    expect(leftovers(path)).toEqual(['file.pth.partial', 'file.pth.partial.json'])
    await download(server.url, path, server, QUICK)
    expect(server.ranges).toEqual([0, 120_000])
    expect(readFileSync(path).equals(CONTENT)).toBe(true)
    expect(leftovers(path)).toEqual([])
  })

  test('begins anew where the server ignores ranges, or has another file by now', async () => {
    const first = await serve(cutAfter(100_000, 'close', ignoringRange), ignoringRange)
    await download(first.server.url, first.path, first.server, QUICK)
    expect(readFileSync(first.path).equals(CONTENT)).toBe(true)
    await first.server.close()

    const other = Buffer.from(CONTENT).reverse()
    const older: Behaviour = (request, response) => cutAfter(100_000, 'stall')(request, response, other)
    const { server, path } = await serve(older, well)
    await download(server.url, path, server, QUICK)
    expect(server.ranges).toEqual([0, 100_000])
    expect(readFileSync(path).equals(CONTENT)).toBe(true)
  })

  test('begins anew where a range is refused or begins elsewhere', async () => {
    const elsewhere: Behaviour = (_, response, content) => {
      response
        .writeHead(206, { 'content-range': `bytes 5-${content.length - 1}/${content.length}` })
        .end(content.subarray(5))
    }
    for (const odd of [answering(416), elsewhere]) {
      const { server, path } = await serve(cutAfter(100_000, 'stall'), odd, well)
      await download(server.url, path, server, QUICK)
      expect(server.ranges).toEqual([0, 100_000, 0])
      expect(readFileSync(path).equals(CONTENT)).toBe(true)
      await server.close()
    }
  })

  test('refuses a file with another checksum, whole or by its first digits, and keeps nothing', async () => {
    const { server, path } = await serve(corrupting)
    const sha256Prefix = server.sha256.slice(0, 8)
    for (const expected of [{ sha256: server.sha256 }, { sha256Prefix }]) {
      await expect(download(server.url, path, expected, QUICK)).rejects.toThrow(
        /its SHA-256 is [0-9a-f]{64}, the published one (is|begins with) [0-9a-f]+; it was changed/,
      )
    }
    expect(readdirSync(dirname(path))).toEqual([])
    const whole = await serve(well)
    await download(whole.server.url, whole.path, { sha256Prefix }, QUICK)
    await server.close()
  })

  test('fetches again when a part that lay there was at fault', async () => {
    const { server, path } = await serve(cutAfter(100_000, 'stall'), well)
    const abort = new AbortController()
    const options = { ...QUICK, timeoutMs: 60_000, signal: abort.signal }
    const onProgress = ({ done }: Progress) => done >= 100_000 && abort.abort()
    await expect(download(server.url, path, server, { ...options, onProgress })).rejects.toThrow(/cancelled/)
    writeFileSync(`${path}.partial`, Buffer.alloc(100_000))
    await download(server.url, path, server, QUICK)
    expect(server.ranges).toEqual([0, 100_000, 0])
    expect(readFileSync(path).equals(CONTENT)).toBe(true)
  })

  test('takes the checksum that huggingface.co tells in its redirect', async () => {
    const target = await serveFile(CONTENT, corrupting)
    const { server, path } = await serve(
      answering(302, { location: target.url, 'x-linked-etag': `"${target.sha256}"` }),
    )
    await expect(download(server.url, path, {}, QUICK)).rejects.toThrow(`the published one is ${target.sha256}`)
    await target.close()
  })

  test('follows redirects, relative ones too, but not for ever', async () => {
    const { server, path } = await serve(
      answering(302, { location: '/elsewhere' }),
      answering(307, { location: '?x' }),
      well,
    )
    await download(server.url, path, server, QUICK)
    expect(server.requests.map(({ url }) => url)).toEqual(['/file.pth', '/elsewhere', '/elsewhere?x'])
    await server.close()

    const loop = await serve(answering(301, { location: '/again' }))
    await expect(download(loop.server.url, loop.path, {}, QUICK)).rejects.toThrow(/from one address to the next/)
  })

  test('tries again when the server is busy, and says why it cannot go on', async () => {
    const busy = await serve(answering(503), answering(429), well)
    await download(busy.server.url, busy.path, busy.server, QUICK)
    await busy.server.close()

    const gone = await serve(answering(404))
    await expect(download(gone.server.url, gone.path, {}, QUICK)).rejects.toThrow(/status 404; it may have moved/)
    expect(gone.server.requests).toHaveLength(1)
    await gone.server.close()

    const ending = await serve(answering(500))
    await expect(download(ending.server.url, ending.path, {}, { ...QUICK, attempts: 3 })).rejects.toThrow(
      /status 500; given up after 3 attempts/,
    )
    expect(ending.server.requests).toHaveLength(3)
    await ending.server.close()
    await expect(download(ending.server.url, ending.path, {}, { ...QUICK, attempts: 2 })).rejects.toMatchObject({
      kind: 'Load',
      message: expect.stringMatching(/no answer from 127\.0\.0\.1:\d+: .*ECONNREFUSED/),
    })
  })

  test('is done once however many ask at a time, and not again when the file is there', async () => {
    const { server, path } = await serve(well)
    await Promise.all(Array.from({ length: 3 }, () => download(server.url, path, server, QUICK)))
    expect(await download(server.url, path, server, QUICK)).toMatchObject({ alreadyThere: true })
    expect(server.requests).toHaveLength(1)
    writeFileSync(path, 'spoilt')
    await download(server.url, path, server, QUICK)
    expect(readFileSync(path).equals(CONTENT)).toBe(true)
    await download(server.url, path, server, { ...QUICK, force: true })
    expect(server.requests).toHaveLength(3)
  })

  test('takes what is there from a folder that is read-only, and says so when it would have to write', async () => {
    const { server, path } = await serve(well)
    await download(server.url, path, server, QUICK)
    for (const place of [folder(), dirname(path)]) chmodSync(place, 0o555)
    await asNobody(async () => {
      expect(await download(server.url, path, server, QUICK)).toMatchObject({ alreadyThere: true })
      await expect(download(server.url, `${path}2`, server, QUICK)).rejects.toThrow(
        /file\.pth2 cannot be written: permission denied \(EACCES\)\. Set VISION_NATIVE_CACHE/,
      )
    })
    for (const place of [folder(), dirname(path)]) chmodSync(place, 0o755)
    expect(leftovers(path)).toEqual([])
    expect(server.requests).toHaveLength(1)
  })

  test('goes on where a process that was killed in the middle of it ended', async () => {
    const { server, path } = await serve(cutAfter(100_000, 'stall'), well)
    const script = `
      import { download } from '${PROJECT}/lib/weights/index.ts'
      const onProgress = ({ done }) => done >= 100000 && console.log('enough')
      await download('${server.url}', '${path}', {}, { env: {}, timeoutMs: 60000, onProgress })`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { cwd: PROJECT })
    await once(child.stdout, 'data')
    const waits: number[] = []
    const done = download(server.url, path, server, { ...QUICK, onWait: (pid) => waits.push(pid) })
    for (let round = 0; round < 200 && waits.length === 0; round++) await setTimeout(5)
    child.kill('SIGKILL')
    await done
    expect(waits).toEqual([child.pid])
    expect(server.ranges).toEqual([0, 100_000])
    expect(readFileSync(path).equals(CONTENT)).toBe(true)
    expect(leftovers(path)).toEqual([])
  })

  test('says so when the folder cannot be made', async () => {
    const { server } = await serve(well)
    writeFileSync(folder('taken'), '')
    await expect(download(server.url, folder('taken', 'file.pth'), {}, QUICK)).rejects.toThrow(
      /cannot be written: .*Set VISION_NATIVE_CACHE/,
    )
  })
})

describe('proxies', () => {
  test('are asked for the whole address over http', async () => {
    const { server, path } = await serve(well)
    const env = { http_proxy: `http://me:secret@127.0.0.1:${server.port}` }
    await download('http://weights.example/file.pth', path, server, { ...QUICK, env })
    const [asked] = server.requests
    expect(asked?.url).toBe('http://weights.example/file.pth')
    expect(asked?.headers).toMatchObject({
      host: 'weights.example',
      'proxy-authorization': `Basic ${Buffer.from('me:secret').toString('base64')}`,
    })
  })

  test('are asked for a tunnel over https, and their refusal is told', async () => {
    const asked: (string | undefined)[] = []
    const proxy = createServer()
    proxy.on('connect', ({ url }, socket) => {
      asked.push(url)
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    })
    const port = await listen(proxy)
    const env = { HTTPS_PROXY: `127.0.0.1:${port}` }
    await expect(
      download('https://weights.example/x.pth', folder('tunnel', 'x'), {}, { ...QUICK, env }),
    ).rejects.toThrow(/refused a connection to weights\.example:443 with status 407/)
    expect(asked).toEqual(['weights.example:443'])
    await close(proxy)
  })

  test.each([
    [{ HTTPS_PROXY: 'http://p:1' }, 'https://a.example/', 'http://p:1/'],
    [{ HTTPS_PROXY: 'http://p:1' }, 'http://a.example/', undefined],
    [{ https_proxy: 'http://q:2', HTTPS_PROXY: 'http://p:1' }, 'https://a.example/', 'http://q:2/'],
    [{ ALL_PROXY: 'p:3' }, 'https://a.example/', 'http://p:3/'],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'x.org, a.example' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: '.example' }, 'https://a.example/', undefined],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'ample' }, 'https://a.example/', 'http://p:1/'],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a.example:8443' }, 'https://a.example/', 'http://p:1/'],
    [{ HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a.example:8443' }, 'https://a.example:8443/', undefined],
    [{ HTTP_PROXY: 'http://p:1', REQUEST_METHOD: 'GET' }, 'http://a.example/', undefined],
  ])('%j for %s: %s', (env, url, proxy) => {
    expect(proxyFor(new URL(url), env)?.href).toBe(proxy)
  })

  test('of a kind that is not known are refused', () => {
    expect(() => proxyFor(new URL('https://a.example'), { HTTPS_PROXY: 'socks5://p:1' })).toThrow(
      /socks5:\/\/p:1' is not used/,
    )
  })
})
