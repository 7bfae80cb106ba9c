// JavaScript peers, installed by bench/package.json.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as ORT from 'onnxruntime-node'
import type { Tf, TfWasm } from './tfjs-api'

const BENCH = fileURLToPath(new URL('..', import.meta.url))

/** Installs what bench/package.json names, once; no package's scripts are run. */
export function installPeers(): void {
  if (existsSync(join(BENCH, 'node_modules/@tensorflow/tfjs'))) return
  console.error(`bench: installing the peers into ${BENCH}node_modules (about 400 MB, once)`)
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
  execFileSync('npm', args, { cwd: BENCH, stdio: ['ignore', 2, 2] })
}

export async function onnxruntime(): Promise<typeof ORT> {
  return await import('onnxruntime-node')
}

/** tfjs on its WebAssembly backend. */
export async function tfjs(threads: number): Promise<Tf> {
  const [core, backend]: readonly [string, string] = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm']
  const tf: Tf = await import(core)
  const wasm: TfWasm = await import(backend)
  const folder = dirname(fileURLToPath(import.meta.resolve(backend)))
  wasm.setWasmPaths(`${folder}/`)
  wasm.setThreadsCount(threads)
  if (!(await tf.setBackend('wasm'))) throw new Error('bench: the wasm backend of tfjs did not start')
  await tf.ready()
  return tf
}
