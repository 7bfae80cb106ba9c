import { readFile } from 'node:fs/promises'
import { VisionNativeError } from '../native/errors'
import { systemReason } from '../native/system-reason'
import {
  configOfSettings,
  mergeConfigs,
  type System,
  type SystemEntry,
  systemNamed,
  type UntrainedSystem,
} from '../pipeline'
import { SYSTEMS } from '../registry.generated'
import type { Device } from '../tensor'
import { UsageError } from './command'

/** The system of a name. @throws UsageError naming the nearest */
export async function systemOf(name: string, caller: string): Promise<System | UntrainedSystem> {
  const entries: Readonly<Record<string, SystemEntry>> = SYSTEMS
  const found = usage(() => entries[systemNamed(entries, name, caller)])
  if (found === undefined) throw new UsageError(`${caller}: there is no system '${name}'`)
  return (await found.load()).system
}

/** The config that `--config` and `--set` say, the latter over the former. */
export async function configOf(file: string | undefined, settings: readonly string[], caller: string): Promise<object> {
  const fromFile = file === undefined ? {} : await readConfig(file, caller)
  return mergeConfigs(
    fromFile,
    usage(() => configOfSettings(settings, `${caller} --set`)),
  ) as object
}

async function readConfig(path: string, caller: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`${caller} --config: cannot read ${path}: ${systemReason(cause)}`, { cause })
  })
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`${caller} --config: ${path} is no JSON: ${(cause as Error).message}`, { cause })
  }
}

/** `--device`, checked before anything is loaded. */
export function deviceOf(device: string, caller: string): Device | 'auto' {
  if (device === 'auto' || device === 'cpu' || /^cuda(:\d+)?$/.test(device)) return device as Device | 'auto'
  throw new UsageError(`${caller} --device: '${device}' is no device; use cpu, cuda, cuda:N or auto`)
}

/** What the command line states wrongly is wrong usage. */
export function usage<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (VisionNativeError.is(cause, 'Argument') || VisionNativeError.is(cause, 'Config')) {
      throw new UsageError(cause.message, { cause })
    }
    throw cause
  }
}
