#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import pc from 'picocolors'
import { VisionNativeError } from '../native/errors'
import { packageVersion } from '../native/package-root'
import type { Tvl1Preset } from '../ops'
import { TASK_NAMES, TASKS } from '../pipeline/tasks'
import { type CommonOptions, type Context, EXIT, note, printJson, UsageError, withCommonOptions } from './command'

const HELP = `
Examples:
  $ vision-native doctor                                     what is here and what is missing
  $ vision-native setup                                      download LibTorch for the CPU (about 545 MB)
  $ vision-native flow a.png b.png -o flow.png               optical flow as a colour picture
  $ vision-native flow a.png b.png --flo out.flo --json      and as a file for programs
  $ vision-native list                                       the papers' systems, and what each is for
  $ vision-native enhance night.jpg -o day.png               a system at work
  $ vision-native train NAME --data FOLDER                   training of a system on one's own data
  $ vision-native weights pull resnet50                      published weights into the cache
  $ vision-native features *.jpg -m resnet50 -o f.safetensors   features of photographs

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`

const FLOW_HELP = `
Examples:
  $ vision-native flow frame1.png frame2.png -o flow.png
  $ vision-native flow frame1.png frame2.png -o arrows.jpg --arrows --preset ipol
  $ vision-native flow frame1.png frame2.png --truth measured.flo --json`

const FEATURES_HELP = `
Examples:
  $ vision-native features photos/*.jpg --model resnet50 --weights resnet50-11ad3fa6.pth -o features.safetensors
  $ vision-native features a.png --model resnet18 --weights random --layer layer3 -o a.safetensors --json`

const WEIGHTS_HELP = `
Example:
  $ vision-native weights pull resnet50 raft_large.c_t_v2

Proxies are those of HTTPS_PROXY and NO_PROXY. A download that was cut goes on the next time.`

const LAUNCH_HELP = `
Examples:
  $ vision-native launch --nproc 4 train.js --epochs 10
  $ vision-native launch --nproc 8 --nnodes 2 --node-rank 1 --master-addr 10.0.0.1 --master-port 29500 train.js

Each process finds RANK, LOCAL_RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT in its environment.`

const TRAIN_HELP = `
Examples:
  $ vision-native train fusion-low-light-enhancement --data LOL --folder runs/lol
  $ vision-native train fusion-low-light-enhancement --data LOL --folder runs/lol --resume`

/** Keys of tvl1Presets, which must not be imported here: help should not wait for the operators. */
const PRESETS: readonly Tvl1Preset[] = ['opencv-cpu', 'opencv24-cuda', 'opencv-cuda', 'ipol']

// Each command is imported when it runs: none of them waits for what another one needs.
function program(execute: Execute): Command {
  const cli = new Command('vision-native')
    .description(
      'Computer vision on LibTorch: systems of papers, optical flow, features, and the state of this installation',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', HELP)
    .showHelpAfterError('(add --help for what is possible)')
    .enablePositionalOptions()
    .exitOverride()

  withCommonOptions(cli.command('flow'))
    .description('TV-L1 optical flow from one frame to the next')
    .argument('<first>', 'first frame: JPEG, PNG, WebP, AVIF, TIFF or GIF')
    .argument('<second>', 'second frame, of the same size')
    .option('-o, --output <picture>', 'colour picture of the flow (png, jpg, webp, avif, tiff)')
    .option('--flo <file>', "the flow itself: Middlebury's .flo, or KITTI's .png")
    .option('--truth <file>', 'measured flow (.flo or KITTI .png); prints the errors against it')
    .option('--arrows', 'draw arrows over the first frame instead of colours')
    .addOption(new Option('--preset <name>', 'whose parameters').choices(PRESETS).default('opencv-cpu'))
    .option('--device <device>', 'cpu, cuda, cuda:N, or auto: a GPU where there is one', 'auto')
    .option('--threads <n>', 'threads on the CPU; all cores unless stated', positiveInteger)
    .addHelpText('after', FLOW_HELP)
    .action((first, second, options) =>
      execute(options, async (context) => (await import('./flow')).flow(first, second, options, context)),
    )

  withCommonOptions(cli.command('features'))
    .description('features of photographs by a network, as a safetensors file')
    .argument('<images...>', 'JPEG, PNG, WebP, AVIF, TIFF or GIF')
    .requiredOption('-m, --model <name>', 'network, by its published name')
    .requiredOption('-o, --output <file>', 'safetensors file: one tensor `features`, a row an image')
    .option(
      '--weights <file>',
      'file (.safetensors, .pth), name of `weights list`, or `random` for a trial; those pulled unless stated',
    )
    .option('--layer <name>', "dotted name of the part whose output is taken; the network's features unless stated")
    .option('--batch-size <n>', 'images at a time', positiveInteger, 16)
    .addHelpText('after', FEATURES_HELP)
    .action((images, options) =>
      execute(options, async (context) => (await import('./features')).features(images, options, context)),
    )

  withCommonOptions(cli.command('list'))
    .description('the systems, by family')
    .option('--task <task>', 'only those for a task, such as enhance')
    .option('--family <family>', 'only those of a family')
    .action((options) => execute(options, async () => (await import('./systems')).list(options)))
  withCommonOptions(cli.command('info'))
    .description('paper, networks, published results, data sets and options of a system')
    .argument('<system>', 'a name of `list`')
    .action((name, options) => execute(options, async () => (await import('./systems')).info(name, options)))

  withDataOptions(cli.command('train'))
    .description('train a system as its paper says, into a folder')
    .argument('<system>', 'a name of `list`')
    .option('--folder <folder>', "the run's folder; runs/<system> unless stated")
    .option('--resume', 'go on with the run of the folder')
    .addHelpText('after', TRAIN_HELP)
    .action((name, options) =>
      execute(options, async (context) => (await import('./train')).train(name, options, context)),
    )
  withDataOptions(cli.command('evaluate'))
    .description("the paper's metrics of a system on a data set")
    .argument('<system>', 'a name of `list`')
    .option('--weights <file>', 'what `train` wrote, or `random` for a trial')
    .option('-o, --output <folder>', 'for the curves behind the metrics, as SVG')
    .action((name, options) =>
      execute(options, async (context) => (await import('./train')).evaluate(name, options, context)),
    )

  withCommonOptions(cli.command('export'))
    .description('write trained weights in the form in which they are deployed, such as weights of one bit')
    .argument('<system>', 'a name of `list`')
    .requiredOption('--weights <file>', 'what `train` wrote')
    .requiredOption('-o, --output <file>', 'safetensors file, which the commands take as `--weights`')
    .action((name, options) => execute(options, async () => (await import('./export')).exportWeights(name, options)))

  for (const task of TASK_NAMES) {
    const { summary, takes, files, needsOutput, gives, example } = TASKS[task]
    withSystemOptions(cli.command(task))
      .description(summary)
      .argument(`<${takes}s...>`, files === 2 ? `two ${takes}s, or several pairs` : `one ${takes} or more`)
      .option(
        '-o, --output <file>',
        `${gives.join(', ')}; a folder for several ${takes}s, made where it ends in /${needsOutput ? '' : '; nothing is written unless stated'}`,
      )
      .option('-m, --model <system>', `which system of \`list --task ${task}\`; the first unless stated`)
      .option('--weights <file>', 'what `train` wrote, or `random` for a trial')
      .addHelpText('after', `\nExample:\n  $ vision-native ${example}`)
      .action((inputs, options) =>
        execute(options, async (context) => (await import('./task')).runTask(task, inputs, options, context)),
      )
  }

  withCommonOptions(cli.command('launch'))
    .description('run a script as several processes that train together, as torchrun does')
    .argument('<script>', 'JavaScript, which calls initProcessGroup()')
    .argument('[arguments...]', "the script's own")
    .requiredOption('--nproc <n>', 'processes on this machine', positiveInteger)
    .option('--nnodes <n>', 'machines', positiveInteger, 1)
    .option('--node-rank <n>', 'which of the machines this is, from 0', wholeNumber, 0)
    .option('--master-addr <host>', 'of the first machine', '127.0.0.1')
    .option('--master-port <port>', 'a free one unless stated', positiveInteger)
    .option(
      '--max-restarts <n>',
      'start all again when one has failed, which a run that resumes survives',
      wholeNumber,
      0,
    )
    .passThroughOptions()
    .addHelpText('after', LAUNCH_HELP)
    .action((script, args, options) =>
      execute(options, async (context) => (await import('./launch')).launch(script, args, options, context)),
    )

  const weights = cli.command('weights').description('published weights: what there is, fetching, checking, converting')
  withCommonOptions(weights.command('list'))
    .description('the table of weights, and what of it is on this machine')
    .argument('[filter]', 'part of a name')
    .option('--task <task>', 'such as image-classification')
    .option('--local', 'only what is on this machine')
    .action((filter, options) => execute(options, async () => (await import('./weights')).list(filter, options)))
  withCommonOptions(weights.command('pull'))
    .description('fetch weights into the cache, or from the folder VISION_NATIVE_WEIGHTS_MIRROR')
    .argument('<names...>', 'names of the table, or of networks')
    .option('--force', 'download again even when they are there')
    .addHelpText('after', WEIGHTS_HELP)
    .action((names, options) =>
      execute(options, async (context) => (await import('./weights')).pull(names, options, context)),
    )
  withCommonOptions(weights.command('verify'))
    .description('compare files with the published checksums; exits with 1 if one differs')
    .argument('[names...]', 'all that are on this machine unless stated')
    .action((names, options) =>
      execute(options, async (context) => (await import('./weights')).verify(names, options, context)),
    )
  withCommonOptions(weights.command('convert'))
    .description('turn .pth into .safetensors or back, and rename tensors')
    .argument('<input>', '.safetensors, .pth, .pt or .bin')
    .argument('<output>', 'its extension says the format')
    .option('--rename <rules...>', 'FROM=TO in order; * is any run of characters, such as module.*=*')
    .option('--layout <name>', "from a publisher's names to this package's")
    .option('--reverse', 'read rules and layout the other way')
    .option('--identify', 'say which known network it is')
    .action((input, output, options) =>
      execute(options, async () => (await import('./convert')).convert(input, output, options)),
    )

  withCommonOptions(cli.command('setup'))
    .description('download LibTorch into the cache (VISION_NATIVE_CACHE, or vision-native in the user cache folder)')
    .option('--cuda', 'with the CUDA libraries (about 2.5 GB)')
    .option('--force', 'download again even when it is there')
    .addHelpText('after', '\nExample:\n  $ VISION_NATIVE_CACHE=/data/cache vision-native setup --cuda')
    .action((options) => execute(options, async (context) => (await import('./setup')).runSetup(options, context)))

  withCommonOptions(cli.command('doctor'))
    .description(
      'show what was found, what is missing, and the command that mends it; exits with 1 if CPU use is not possible',
    )
    .addHelpText('after', '\nExample:\n  $ vision-native doctor --json')
    .action((options) => execute(options, async () => (await import('./doctor')).doctor(options)))

  return cli
}

/** Options of commands that make a system's networks. */
function withSystemOptions(command: Command): Command {
  return withCommonOptions(command)
    .option('--set <key=value...>', 'options of the system; see `info` for them', [])
    .option('--config <file>', 'JSON file of options')
    .option('--device <device>', 'cpu, cuda, cuda:N, or auto: a GPU where there is one', 'auto')
}

/** Options of commands that read a system's data set. */
function withDataOptions(command: Command): Command {
  return withSystemOptions(command)
    .requiredOption('--data <folder>', 'in the layout that `info` states; or `synthetic`')
    .option('--skip-broken', 'leave out files that cannot be read, and say which')
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0) return value
  throw new InvalidArgumentError('It is a whole number from 0.')
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('It is a whole number above 0.')
}

type Execute = (options: CommonOptions, work: (context: Context) => Promise<number>) => Promise<void>

async function main(argv: readonly string[]): Promise<number> {
  const abort = new AbortController()
  let interruptedBy: number | undefined
  const interrupt = (code: number) => () => {
    // The second time is for a command that does not stop.
    if (interruptedBy !== undefined) process.exit(code)
    interruptedBy = code
    abort.abort(new Error('interrupted'))
  }
  process.on('SIGINT', interrupt(EXIT.interrupted))
  process.on('SIGTERM', interrupt(EXIT.terminated))
  // A reader that has seen enough, such as head, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failure),
  )

  let code: number = EXIT.ok
  const execute: Execute = async (options, work) => {
    try {
      code = await work({ signal: abort.signal })
    } catch (error) {
      code = interruptedBy ?? (error instanceof UsageError ? EXIT.usage : EXIT.failure)
      report(error, options)
    }
  }
  try {
    await program(execute).parseAsync([...argv], { from: 'user' })
  } catch (error) {
    // Commander has printed its message, or the help that was asked for.
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  }
  return code
}

function report(error: unknown, { json = false, verbose = false }: CommonOptions): void {
  const known = VisionNativeError.is(error) ? error : undefined
  const message = error instanceof Error ? error.message : String(error)
  if (json) printJson({ error: { code: known?.code ?? 'ERR_UNKNOWN', message } })
  note(`${pc.red('error:')} ${message}`)
  if (error instanceof Error && (verbose || process.env.DEBUG)) note(error.stack ?? '')
  else if (!known) note('This should not happen: run again with --verbose for the place.')
}

const argv = process.argv.slice(2)
// Without a command there is nothing to do but say what can be done.
main(argv.length === 0 ? ['--help'] : argv).then((code) => {
  process.exitCode = code
})
