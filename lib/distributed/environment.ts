// How the processes of a training find one another: the variables that torchrun, Slurm scripts and Kubernetes jobs set.
import { ConfigError } from '../native/errors'

/** Where a process stands among all, and where they meet. */
export interface Rendezvous {
  /** This process's number, from 0. */
  readonly rank: number
  readonly worldSize: number
  /** Its number on this machine, which is that of its GPU. */
  readonly localRank: number
  readonly masterAddress: string
  readonly masterPort: number
}

type Environment = Readonly<Record<string, string | undefined>>

/** Whether this process was started as one of several. */
export function isLaunched(environment: Environment = process.env): boolean {
  return environment.RANK !== undefined && environment.WORLD_SIZE !== undefined
}

/**
 * `env://`: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and LOCAL_RANK.
 *
 * @param given what is not to be read from the environment
 * @throws ConfigError naming the variable that is missing or no number in its range
 */
export function rendezvous(given: Partial<Rendezvous> = {}, environment: Environment = process.env): Rendezvous {
  const whole = (name: string, least: number, most: number): number => {
    const text = environment[name]
    if (text === undefined) {
      throw new ConfigError(
        `initProcessGroup: the variable ${name} is not set; start the script by \`vision-native launch --nproc N script\` or torchrun, or pass rank, worldSize, masterAddress and masterPort`,
      )
    }
    return checked(name, text.trim() === '' ? Number.NaN : Number(text), least, most)
  }
  const worldSize = given.worldSize ?? whole('WORLD_SIZE', 1, MOST)
  const rank = given.rank ?? whole('RANK', 0, worldSize - 1)
  const masterAddress = given.masterAddress ?? environment.MASTER_ADDR ?? '127.0.0.1'
  const masterPort = given.masterPort ?? whole('MASTER_PORT', 1, 65_535)
  const local = environment.LOCAL_RANK === undefined ? rank : whole('LOCAL_RANK', 0, MOST)
  checked('worldSize', worldSize, 1, MOST)
  checked('rank', rank, 0, worldSize - 1)
  checked('masterPort', masterPort, 1, 65_535)
  return { rank, worldSize, localRank: given.localRank ?? local, masterAddress, masterPort }
}

const MOST = 2 ** 20

function checked(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new ConfigError(`initProcessGroup: ${name} is ${value}; it must be a whole number from ${least} to ${most}`)
}
