import { ConfigError } from '../native/errors'
import { nearestNames } from '../native/nearest'

/** The key of an entry by its name. @throws ConfigError naming the nearest */
export function systemNamed<Entries extends object>(entries: Entries, name: string, caller: string): keyof Entries {
  if (Object.hasOwn(entries, name)) return name as keyof Entries
  const nearest = nearestNames(name, Object.keys(entries)).join(', ')
  throw new ConfigError(`${caller}: there is no system '${name}'; the nearest names are ${nearest}`)
}
