import { searchLibTorch } from '../native/libtorch'
import { setup } from '../native/setup'
import { type CommonOptions, type Context, EXIT, note, printJson } from './command'

/** Options of `vision-native setup`. */
export interface SetupCommandOptions extends CommonOptions {
  readonly cuda?: boolean
  readonly force?: boolean
}

/** `vision-native setup`: downloads LibTorch into the cache. */
export async function runSetup(options: SetupCommandOptions, { signal }: Context): Promise<number> {
  const { cuda = false, force = false, json = false } = options
  const started = performance.now()
  const result = await setup({
    variant: cuda ? 'cuda' : 'cpu',
    force,
    showPip: !json,
    onMessage: json ? undefined : note,
    signal,
  })
  const used = searchLibTorch().libtorch
  if (json) {
    printJson({ ...result, used: used?.root, seconds: (performance.now() - started) / 1000 })
  } else {
    console.log(result.installed ? `LibTorch is in ${result.root}` : `LibTorch is in ${result.root} already`)
  }
  if (used?.root !== result.root) {
    const other = used
      ? `${used.root} (found by ${used.source})`
      : `LIBTORCH=${process.env.LIBTORCH}, which does not fit,`
    note(`${other} comes before it. To use this one: export LIBTORCH=${result.root}`)
  }
  return EXIT.ok
}
