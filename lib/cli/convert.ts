import { existsSync } from 'node:fs'
import { dirname, extname } from 'node:path'
import { LAYOUTS, type LayoutName } from '../backbones'
import { savePth, writeSafetensors } from '../io'
import { tidyAsync } from '../tensor'
import { describeFit, parseRenameRule, type RenameRule, renameState, reverseRules } from '../weights'
import { type CommonOptions, EXIT, printJson, UsageError } from './command'
import { identify, readState } from './network-weights'

export interface ConvertOptions extends CommonOptions {
  /** `FROM=TO`, in order. */
  readonly rename?: readonly string[]
  readonly layout?: string
  /** Compares the result with every known network, which may take half a minute. */
  readonly identify?: boolean
  /** Reads the rules and the layout the other way. */
  readonly reverse?: boolean
}

/** `vision-native weights convert`: .pth ⇄ .safetensors, and other names for the tensors. */
export async function convert(input: string, output: string, options: ConvertOptions): Promise<number> {
  const { reverse = false, json = false } = options
  if (!['.safetensors', '.pth', '.pt', '.bin'].includes(extname(output).toLowerCase())) {
    throw new UsageError(`weights convert: ${output} is to end in .safetensors, .pth, .pt or .bin`)
  }
  if (!existsSync(dirname(output))) {
    throw new UsageError(`weights convert: ${output} cannot be written: there is no folder ${dirname(output)}`)
  }
  const layout = layoutOf(options.layout)
  const rules = rulesOf(options.rename ?? [])
  return tidyAsync(async () => {
    const read = await readState(input)
    const ordered = reverse ? reverseRules(rules) : rules
    const renamed = renameState(read, ordered)
    const state = layout === undefined ? renamed : reverse ? layout.toPublished(renamed) : layout.fromPublished(renamed)
    // Views of one memory, as parts of a joined tensor are, become tensors of their own.
    const tensors = new Map([...state].map(([name, tensor]) => [name, tensor.contiguous()]))
    if (extname(output).toLowerCase() === '.safetensors') await writeSafetensors(output, tensors)
    else await savePth(output, tensors)
    const fit = options.identify ? describeFit(identify(tensors, input)) : undefined
    if (json) printJson({ input, output, tensors: tensors.size, fit })
    else console.log([`${output}: ${tensors.size} tensors`, fit].filter(Boolean).join('; '))
    return EXIT.ok
  })
}

function layoutOf(name: string | undefined) {
  if (name === undefined) return undefined
  if (Object.hasOwn(LAYOUTS, name)) return LAYOUTS[name as LayoutName]
  throw new UsageError(
    `weights convert --layout: there is no layout '${name}'; there are ${Object.keys(LAYOUTS).join(', ')}`,
  )
}

function rulesOf(texts: readonly string[]): RenameRule[] {
  try {
    return texts.map(parseRenameRule)
  } catch (cause) {
    throw new UsageError(`weights convert --${(cause as Error).message}`, { cause })
  }
}
