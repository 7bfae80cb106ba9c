// Which maps a network sees: chunks of a window, groups of a clip.
import { ArgumentError, ConfigError } from '../../../native/errors'
import type { Config, Modality } from './config'

/** How a window of maps is divided. */
export interface ChunkLayout {
  readonly chunks: number
  /** Maps of a chunk. */
  readonly length: number
  /** Maps between the starts of neighbouring chunks. */
  readonly stride: number
  /** Distinct maps of the window. */
  readonly span: number
}

/**
 * Chunks by the paper's ablation grid: `maps` are counted as fed, those of an overlap twice.
 *
 * @throws ConfigError when the maps cannot be divided evenly
 */
export function chunkLayout({
  maps,
  chunks,
  overlap,
}: Pick<Config['network'], 'maps' | 'chunks' | 'overlap'>): ChunkLayout {
  if (maps % chunks !== 0) {
    throw new ConfigError(`arrow-of-time: network.maps ${maps} is no multiple of network.chunks ${chunks}`)
  }
  const length = maps / chunks
  const stride = Math.max(1, Math.floor(length * (1 - overlap) + 0.5))
  return { chunks, length, stride, span: length + (chunks - 1) * stride }
}

/** Channels of a map. */
export function mapChannels(modality: Modality): number {
  return modality === 'flow' ? 2 : 3
}

/**
 * Starts of evenly spaced groups, counted from 0 and each once: ⌈j (N − span) ∕ (G − 1)⌉.
 *
 * @param maps N, those of the clip
 * @throws ArgumentError when the clip is shorter than a group: it is never looped, which would make an arrow of its own
 */
export function groupStarts(maps: number, span: number, groups: number): number[] {
  if (maps < span) {
    const remedy =
      span > 10 ? '; take a longer clip, or the model of 10 maps (network.maps=10)' : '; take a longer clip'
    throw new ArgumentError(
      `arrow-of-time: the clip has ${maps} maps, fewer than the ${span} that the network sees${remedy}`,
    )
  }
  if (groups === 1) return [Math.floor((maps - span) / 2)]
  const starts = Array.from({ length: groups }, (_, j) => Math.ceil((j * (maps - span)) / (groups - 1)))
  return [...new Set(starts)]
}

/** The group of the reversed clip that holds the same frames as the one that begins at `start`. */
export function reversedStart(maps: number, span: number, start: number): number {
  return maps - (start + span)
}
