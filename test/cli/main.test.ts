import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findLibTorch } from '../../lib/native/libtorch'
import { runCli } from '../support/cli'
import { makeCommand, makeFakeLibTorch, temporaryFolder } from '../support/fake-libtorch'
import { installPackage, PROJECT } from '../support/installed-package'

/** A machine with neither Python nor a cache. */
function bareEnv(folder = temporaryFolder()): NodeJS.ProcessEnv {
  return { LIBTORCH: '', PATH: join(folder, 'bin'), VISION_NATIVE_CACHE: join(folder, 'cache') }
}

describe('vision-native', () => {
  test('shows help with examples and exit codes when it is given nothing to do', async () => {
    const bare = await runCli([])
    const help = await runCli(['--help'])
    expect(bare).toEqual(help)
    expect(help.code).toBe(0)
    expect(help.stdout).toMatch(/Examples:\n {2}\$ vision-native doctor/)
    expect(help.stdout).toContain('Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.')
  })

  test('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test.each([
    [['doctr'], /unknown command 'doctr'\n\(Did you mean doctor\?\)/],
    [['doctor', '--jsn'], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
    [['setup', 'cuda'], /too many arguments for 'setup'/],
  ])('ends with 2 on wrong usage: %j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).toContain('(add --help for what is possible)')
  })
})

describe('vision-native doctor', () => {
  test('is content with what npm test uses, and opens it', async () => {
    const { root } = installPackage()
    const { code, stdout } = await runCli(['doctor'], { root, env: { LIBTORCH: findLibTorch().root } })
    expect(stdout).toMatch(/^ok {7}Binaries .*prebuilds\/linux-x64 \(prebuilt\): CPU/m)
    expect(stdout).toMatch(/^ok {7}LibTorch {3}2\.11\.0 in .* \(found by LIBTORCH\)/m)
    expect(stdout).toMatch(/^ok {7}Opening {4}LibTorch 2\.11\.0.*, (1 thread|\d+ threads)$/m)
    expect(code).toBe(0)
  })

  test('lists every place when there is no LibTorch, and the command that mends it', async () => {
    const env = bareEnv()
    const { code, stdout } = await runCli(['doctor'], { env })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^missing {2}LibTorch {3}LibTorch 2\.11\.0 was not found\. Tried, in this order:$/m)
    for (const line of [
      'LIBTORCH  not set',
      'python    there is no python3 on PATH',
      `cache     ${env.VISION_NATIVE_CACHE}/libtorch-2.11.0-cpu not there`,
    ]) {
      expect(stdout).toContain(line)
    }
    expect(stdout).toContain('Run `npx vision-native setup`')
    expect(stdout).toContain('Something is missing: mend it from top to bottom')
  })

  test('names the version that LIBTORCH has instead', async () => {
    const root = makeFakeLibTorch(temporaryFolder(), { version: '2.10.0+cu130' })
    const { code, stdout } = await runCli(['doctor'], { env: { ...bareEnv(), LIBTORCH: root } })
    expect(code).toBe(1)
    expect(stdout).toContain(`LIBTORCH=${root} is LibTorch 2.10.0, not 2.11.0. Set LIBTORCH to`)
  })

  test('names the command that builds the binaries', async () => {
    const { root, prebuilds } = installPackage()
    rmSync(prebuilds, { recursive: true })
    const { code, stdout } = await runCli(['doctor'], { root })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^missing {2}Binaries {3}No binaries of @lab\/vision-native are in .* Run `npm run build`/m)
  })

  test('gives the same as JSON', async () => {
    const { code, stdout } = await runCli(['doctor', '--json'], { env: bareEnv() })
    const diagnosis = JSON.parse(stdout)
    expect(code).toBe(1)
    expect(diagnosis).toMatchObject({ ok: false, node: process.versions.node, cuda: { available: false } })
    expect(diagnosis.libtorch).toBeUndefined()
    expect(diagnosis.tried.map(({ source }: { source: string }) => source)).toEqual([
      'LIBTORCH',
      'python',
      'cache',
      'cache',
    ])
  })
})

describe('vision-native setup', () => {
  const python = 'if [ "$3" = "--version" ]; then exit 0; fi'

  test('fails with one message and no stack', async () => {
    const { code, stdout, stderr } = await runCli(['setup'], { env: bareEnv() })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error: setup: LibTorch is downloaded with pip, but there is no python3 on PATH/)
    expect(stderr).not.toContain('    at ')
  })

  test('shows the stack when asked', async () => {
    const { stderr } = await runCli(['setup', '--verbose'], { env: bareEnv() })
    expect(stderr).toMatch(/\n {4}at .*setup\.ts/)
  })

  test('gives an error as JSON on standard output', async () => {
    const { code, stdout } = await runCli(['setup', '--json'], { env: bareEnv() })
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'ERR_VISION_NATIVE_LOAD', message: expect.stringContaining('there is no python3 on PATH') },
    })
  })

  test('ends with 130 on Ctrl-C and leaves nothing in the cache', async () => {
    const folder = temporaryFolder()
    const started = join(folder, 'started')
    makeCommand(folder, 'python3', `${python}\n: > "${started}"\nexec /bin/sleep 30`)
    const env = bareEnv(folder)
    const { code, stderr } = await runCli(['setup'], {
      env,
      onSpawn(child) {
        const timer = setInterval(() => {
          if (!existsSync(started)) return
          clearInterval(timer)
          child.kill('SIGINT')
        }, 20)
      },
    })
    expect(code).toBe(130)
    expect(stderr).toContain('error: setup: cancelled; nothing was left in the cache')
    expect(readdirSync(join(folder, 'cache'))).toEqual([])
  })
})
