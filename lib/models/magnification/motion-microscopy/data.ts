// Videos with a reference sensor beside them, as the paper's cantilever has a vibrometer.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { DataError, VisionNativeError } from '../../../native/errors'
import type { TemporalFilter } from '../../../vision'
import { readSensor, type SensorSignal } from './sensor'

const VIDEOS = ['.mp4', '.mov', '.mkv', '.webm', '.avi'] as const
const band = z.tuple([z.number().min(0), z.number().positive()])

const Filter = z.union([
  z.strictObject({ kind: z.enum(['band-pass', 'band-stop', 'ideal']), band }),
  z.strictObject({ kind: z.literal('high-pass'), from: z.number().positive() }),
])

/** What `<name>.json` beside a video says. */
const Description = z.strictObject({
  point: z.tuple([z.int().min(0), z.int().min(0)]),
  direction: z.number().default(0),
  sensor: z.enum(['displacement', 'velocity', 'acceleration']),
  before: z.array(Filter).default([]),
  video: z.array(Filter).default([]),
  after: z.array(Filter).default([]),
  lagS: z.union([z.number(), z.literal('auto')]).default('auto'),
})

/** A video whose motion a sensor has measured at a point. */
export interface SensorRecord {
  readonly name: string
  readonly path: string
  readonly sensor: SensorSignal
  readonly point: readonly [x: number, y: number]
  /** Of the sensor, in degrees from the right to down. */
  readonly direction: number
  readonly measures: 'displacement' | 'velocity' | 'acceleration'
  /** Filters of the sensor, of the video's signal, and of both. */
  readonly before: readonly TemporalFilter[]
  readonly video: readonly TemporalFilter[]
  readonly after: readonly TemporalFilter[]
  readonly lagS: number | 'auto'
}

/**
 * The records of a folder, by name: `<name>.json`, the video `<name>.mp4` (mov, mkv, webm, avi) and the readings
 * `<name>.csv`.
 *
 * @param skipBroken leaves out what cannot be read, and tells `note` which; unless set it is an error
 * @throws DataError naming every record that cannot be read, or when there is none
 */
export async function sensorRecords(
  folder: string,
  skipBroken: boolean,
  note: (text: string) => void,
): Promise<SensorRecord[]> {
  const files = await readdir(folder).catch((cause: unknown) => {
    throw new DataError(`motion-microscopy: there is no folder ${folder}`, { cause })
  })
  const names = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5))
  const records: SensorRecord[] = []
  const broken: string[] = []
  for (const name of names.sort()) {
    try {
      records.push(await readRecord(folder, name))
    } catch (error) {
      if (!VisionNativeError.is(error)) throw error
      broken.push(`${name}: ${error.message}`)
    }
  }
  if (broken.length > 0) {
    const text = `${broken.length} of ${names.length} records cannot be read:\n${broken.map((line) => `  ${line}`).join('\n')}`
    if (!skipBroken) throw new DataError(`motion-microscopy: ${text}\nleave them out with skipBroken (--skip-broken)`)
    note(`left out: ${text}`)
  }
  if (records.length === 0) {
    throw new DataError(`motion-microscopy: ${folder} holds no record: a <name>.json beside its video and <name>.csv`)
  }
  return records
}

async function readRecord(folder: string, name: string): Promise<SensorRecord> {
  const described = Description.safeParse(parseJson(await readFile(join(folder, `${name}.json`), 'utf8'), name))
  if (!described.success) throw new DataError(`${name}.json: ${z.prettifyError(described.error)}`)
  const extension = VIDEOS.find((ending) => existsSync(join(folder, name + ending)))
  if (extension === undefined) throw new DataError(`there is no video ${name}${VIDEOS.join(' or ')}`)
  const { sensor: measures, ...rest } = described.data
  return {
    ...{ name, measures, ...rest },
    path: join(folder, name + extension),
    sensor: await readSensor(join(folder, `${name}.csv`)),
  }
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DataError(`${name}.json is no JSON`, { cause })
  }
}
