import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CancelledError, LoadError } from '../../lib/native/errors'
import { withFileLock } from '../../lib/native/file-lock'
import { type SetupOptions, setup } from '../../lib/native/setup'
import { asNobody } from '../support/as-nobody'
import { makeCommand, makeFakeLibTorch, temporaryFolder } from '../support/fake-libtorch'

const PROJECT = resolve(import.meta.dirname, '../..')

/**
 * A `python3` whose pip copies a fake LibTorch to --target and keeps the requirements and arguments of each call. It
 * stands in for the network: what pip itself does is pip's matter.
 */
function fakePip(folder: string, { body = 'cp -r "$WHEELS/." "$target"' } = {}): NodeJS.ProcessEnv {
  const wheels = join(folder, 'wheels')
  makeFakeLibTorch(wheels)
  mkdirSync(join(wheels, 'torchgen/packaged'), { recursive: true })
  writeFileSync(join(wheels, 'torch/nn.py'), 'only Python needs this')
  mkdirSync(join(wheels, 'torch-2.11.0.dist-info'))
  const bin = makeCommand(
    folder,
    'python3',
    `if [ "$3" = "--version" ]; then echo "pip 24.0"; exit 0; fi
echo "$@" >> "${folder}/calls"
while [ $# -gt 0 ]; do
  case "$1" in --target) target="$2";; --requirement) cat "$2" > "${folder}/requirements";; esac
  shift
done
mkdir -p "$target"
${body}`,
  )
  return {
    PATH: `${bin}:${process.env.PATH}`,
    WHEELS: wheels,
    VISION_NATIVE_CACHE: join(folder, 'cache'),
    HOME: folder,
  }
}

const callsOf = (folder: string) =>
  existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : []

const cacheOf = (folder: string) => (existsSync(join(folder, 'cache')) ? readdirSync(join(folder, 'cache')) : [])

describe('setup', () => {
  test('installs once, and then finds it done', async () => {
    const folder = temporaryFolder()
    const env = fakePip(folder)
    const root = join(folder, 'cache/libtorch-2.11.0-cpu/torch')
    expect(await setup({ env })).toEqual({ root, variant: 'cpu', installed: true })
    expect(await setup({ env })).toEqual({ root, variant: 'cpu', installed: false })
    expect(callsOf(folder)).toHaveLength(1)
    expect(cacheOf(folder)).toEqual(['libtorch-2.11.0-cpu'])
  })

  test('pins each wheel by its hash and names the platform, so that any Python will do', async () => {
    const folder = temporaryFolder()
    await setup({ env: fakePip(folder) })
    const lines = readFileSync(join(folder, 'requirements'), 'utf8').trim().split('\n')
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'torch==2.11.0',
      'nvidia-cuda-runtime==13.0.96',
      'nvidia-cuda-cupti==13.0.85',
    ])
    for (const line of lines) expect(line).toMatch(/ --hash=sha256:[0-9a-f]{64}$/)
    const [call] = callsOf(folder)
    for (const option of ['--require-hashes', '--no-deps', '--only-binary=:all:', '--python-version 3.11']) {
      expect(call).toContain(option)
    }
    // The wheel of torch, that of CUPTI, and that of the CUDA runtime are tagged differently.
    for (const tag of ['manylinux_2_28', 'manylinux_2_25', 'manylinux2014']) expect(call).toContain(`${tag}_x86_64`)
  })

  test('keeps headers, libraries and licences, and removes what only Python uses', async () => {
    const folder = temporaryFolder()
    const { root } = await setup({ env: fakePip(folder) })
    expect(readdirSync(root).sort()).toEqual(['include', 'lib', 'version.py'])
    expect(readdirSync(join(root, '..')).sort()).toEqual(['nvidia', 'torch', 'torch-2.11.0.dist-info', 'torchgen'])
    expect(readdirSync(join(root, '../nvidia/cu13/lib'))).toEqual(['libfakecudart.so.13'])
  })

  test('downloads again when forced, or when what is there is broken', async () => {
    const folder = temporaryFolder()
    const env = fakePip(folder)
    const { root } = await setup({ env })
    writeFileSync(join(root, 'version.py'), "__version__ = '2.10.0'\n")
    expect(await setup({ env })).toMatchObject({ installed: true })
    expect(await setup({ env, force: true })).toMatchObject({ installed: true })
    expect(callsOf(folder)).toHaveLength(3)
    expect(cacheOf(folder)).toEqual(['libtorch-2.11.0-cpu'])
  })

  test('runs once when two processes ask at the same time', async () => {
    const folder = temporaryFolder()
    const env = fakePip(folder, { body: 'sleep 1; cp -r "$WHEELS/." "$target"' })
    const script = `
      import { setup } from '${PROJECT}/lib/native/setup.ts'
      const messages = []
      const result = await setup({ onMessage: (text) => messages.push(text) })
      console.log(JSON.stringify({ ...result, messages }))`
    const file = join(folder, 'ask.mts')
    writeFileSync(file, script)
    const ask = () =>
      new Promise<{ root: string; installed: boolean; messages: string[] }>((done, fail) => {
        const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: PROJECT, env })
        let output = ''
        let errors = ''
        child.stdout.on('data', (text) => (output += text))
        child.stderr.on('data', (text) => (errors += text))
        child.on('close', (code) => (code === 0 ? done(JSON.parse(output)) : fail(new Error(errors))))
      })
    const answers = await Promise.all([ask(), ask()])
    expect(callsOf(folder)).toHaveLength(1)
    expect(answers.map(({ installed }) => installed).sort()).toEqual([false, true])
    expect(answers[0]?.root).toBe(answers[1]?.root)
    const waiting = answers.find(({ installed }) => !installed)
    expect(waiting?.messages).toEqual([
      expect.stringMatching(/^Another process \(\d+\) is setting up LibTorch; waiting/),
    ])
    expect(cacheOf(folder)).toEqual(['libtorch-2.11.0-cpu'])
  }, 20_000)

  test.each<[string, string, RegExp]>([
    [
      'pip fails',
      'echo "ERROR: No matching distribution" >&2; exit 1',
      /pip ended with status 1:\nERROR: No matching distribution\nCheck the network/,
    ],
    [
      'pip installs another version',
      'cp -r "$WHEELS/." "$target"; echo "__version__ = \'2.12.0\'" > "$target/torch/version.py"',
      /what pip installed is LibTorch 2\.12\.0, not 2\.11\.0/,
    ],
  ])('leaves nothing behind when %s', async (_, body, message) => {
    const folder = temporaryFolder()
    const error: unknown = await setup({ env: fakePip(folder, { body }) }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(LoadError)
    expect((error as Error).message).toMatch(message)
    expect(cacheOf(folder)).toEqual([])
  })

  test('removes what a killed run left behind', async () => {
    const folder = temporaryFolder()
    const env = fakePip(folder)
    mkdirSync(join(folder, 'cache/libtorch-2.11.0-cpu.partial-abc/target'), { recursive: true })
    await setup({ env })
    expect(cacheOf(folder)).toEqual(['libtorch-2.11.0-cpu'])
  })

  test('stops pip when it is cancelled, and leaves nothing behind', async () => {
    const folder = temporaryFolder()
    const env = fakePip(folder, { body: 'exec sleep 30' })
    const abort = new AbortController()
    const options: SetupOptions = { env, signal: abort.signal }
    setTimeout(() => abort.abort(new Error('enough')), 300)
    const started = Date.now()
    await expect(setup(options)).rejects.toBeInstanceOf(CancelledError)
    expect(Date.now() - started).toBeLessThan(10_000)
    expect(cacheOf(folder)).toEqual([])
  })

  test.each<[string, string | undefined, RegExp]>([
    ['there is no Python', undefined, /there is no python3 on PATH\. Install Python 3\.9 or newer/],
    [
      'Python has no pip',
      'echo "No module named pip" >&2; exit 1',
      /python3 has no pip \(No module named pip\)\. Install it/,
    ],
  ])('says what to install when %s', async (_, script, message) => {
    const folder = temporaryFolder()
    if (script) makeCommand(folder, 'python3', script)
    const env = { PATH: join(folder, 'bin'), VISION_NATIVE_CACHE: join(folder, 'cache') }
    await expect(setup({ env })).rejects.toThrow(message)
  })

  test('says which variable to set when the cache cannot be written', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'cache'), 'a file, not a folder')
    const env = fakePip(folder)
    await expect(setup({ env })).rejects.toThrow(/cannot be written: .*Set VISION_NATIVE_CACHE to a folder/)
  })

  test('a cache that is read-only serves when it is filled, and is named when it is not', async () => {
    const folder = temporaryFolder()
    const env = fakePip(folder)
    const { root } = await setup({ env })
    for (const path of [folder, join(folder, 'cache')]) chmodSync(path, 0o555)
    await asNobody(async () => {
      expect(await setup({ env })).toMatchObject({ root, installed: false })
      const refused = await setup({ env, force: true }).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(LoadError)
      expect((refused as Error).message).toMatch(
        /cannot be written: permission denied \(EACCES\)\. Set VISION_NATIVE_CACHE/,
      )
    })
    for (const path of [folder, join(folder, 'cache')]) chmodSync(path, 0o755)
    expect(cacheOf(folder)).toEqual(['libtorch-2.11.0-cpu'])
  })
})

describe('a file lock', () => {
  test('keeps two from working at once, in one process as well', async () => {
    const path = join(temporaryFolder(), 'lock')
    const order: string[] = []
    const work = (name: string) =>
      withFileLock(path, async () => {
        order.push(`${name} in`)
        await new Promise((done) => setTimeout(done, 50))
        order.push(`${name} out`)
      })
    await Promise.all([work('a'), work('b')])
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out'])
    expect(existsSync(path)).toBe(false)
  })

  test('is taken over from a process that died', async () => {
    const path = join(temporaryFolder(), 'lock')
    const dead = spawn('true')
    await new Promise((done) => dead.on('exit', done))
    writeFileSync(path, JSON.stringify({ id: 'x', pid: dead.pid, host: hostname() }))
    expect(await withFileLock(path, async () => 'done')).toBe('done')
  })

  test('is taken over at once from a process that was killed in the middle of its work', async () => {
    const path = join(temporaryFolder(), 'lock')
    const script = `
      import { withFileLock } from '${PROJECT}/lib/native/file-lock.ts'
      await withFileLock('${path}', async () => {
        console.log('working')
        await new Promise(() => setInterval(() => {}, 1000))
      })`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { cwd: PROJECT })
    await once(child.stdout, 'data')
    let waitedFor: number | undefined
    const taken = withFileLock(path, async () => existsSync(path), { onWait: (pid) => (waitedFor = pid) })
    expect(waitedFor).toBe(child.pid)
    child.kill('SIGKILL')
    expect(await taken).toBe(true)
    expect(existsSync(path)).toBe(false)
  })

  test('is taken over when another process has the number of the one that died, as in containers', async () => {
    const path = join(temporaryFolder(), 'lock')
    writeFileSync(path, JSON.stringify({ id: 'x', pid: process.pid, host: hostname(), began: '1' }))
    expect(await withFileLock(path, async () => 'done')).toBe('done')
  })

  test('of a process in another container is held to as long as it shows signs of life', async () => {
    const path = join(temporaryFolder(), 'lock')
    const elsewhere = { id: 'x', pid: 2 ** 22 + 1, host: hostname(), space: 'pid:[1]', began: '1' }
    writeFileSync(path, JSON.stringify(elsewhere))
    const signal = AbortSignal.timeout(400)
    await expect(withFileLock(path, async () => 'done', { signal })).rejects.toMatchObject({ name: 'AbortError' })
    const longAgo = new Date(Date.now() - 31_000)
    utimesSync(path, longAgo, longAgo)
    expect(await withFileLock(path, async () => 'done')).toBe('done')
  })

  test('is given back when the work fails', async () => {
    const path = join(temporaryFolder(), 'lock')
    const failing = withFileLock(path, async () => {
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await withFileLock(path, async () => 'next')).toBe('next')
  })
})
