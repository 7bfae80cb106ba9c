import { ConfigError } from '../../../native/errors'
import { checkTemporalFilter, type TemporalFilter } from '../../../vision/temporal-filter'
import type { Config } from './config'

/**
 * The filter along time that a config says.
 *
 * @throws ConfigError when it lacks its band, or the band does not fit the frame rate
 */
export function filterOf({ filter, band, taps }: Config, fps: number): TemporalFilter {
  const chosen = filterNamed(filter, band, taps)
  try {
    checkTemporalFilter(chosen, fps, 'motion-microscopy')
  } catch (cause) {
    throw new ConfigError((cause as Error).message, { cause })
  }
  return chosen
}

function filterNamed(filter: Config['filter'], band: Config['band'], taps: number): TemporalFilter {
  if (filter === 'none' || filter === 'minus-mean' || (filter === 'auto' && band === undefined)) {
    if (band !== undefined) {
      throw new ConfigError(`motion-microscopy: the filter '${filter}' has no band; leave out band or filter`)
    }
    return { kind: filter === 'none' ? 'none' : 'minus-mean' }
  }
  if (band === undefined) {
    throw new ConfigError(`motion-microscopy: the filter '${filter}' needs a band in Hz, such as band=[1.6,1.8]`)
  }
  const [low, high] = band
  if (filter === 'fir') return { kind: 'fir', band: [low, high], taps }
  return { kind: filter === 'ideal' ? 'ideal' : 'band-pass', band: [low, high] }
}
