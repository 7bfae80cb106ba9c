import { defineConfig, type Options } from 'tsup'
import { systemPlaces } from './tools/system-registry'

/** Of the subpaths that package.json exports; the names agree with its "exports". */
export const library = {
  index: 'lib/index.ts',
  'ops/index': 'lib/ops/index.ts',
  'nn/index': 'lib/nn/index.ts',
  'nn/functional': 'lib/nn/functional.ts',
  'optim/index': 'lib/optim/index.ts',
  'io/index': 'lib/io/index.ts',
  'data/index': 'lib/data/index.ts',
  'metrics/index': 'lib/metrics/index.ts',
  'plot/index': 'lib/plot/index.ts',
  'train/index': 'lib/train/index.ts',
  'vision/index': 'lib/vision/index.ts',
  'audio/index': 'lib/audio/index.ts',
  'text/index': 'lib/text/index.ts',
  'geometry/index': 'lib/geometry/index.ts',
  'distributed/index': 'lib/distributed/index.ts',
  'backbones/index': 'lib/backbones/index.ts',
  'weights/index': 'lib/weights/index.ts',
  'datasets/index': 'lib/datasets/index.ts',
  'pipeline/index': 'lib/pipeline/index.ts',
  'models/index': 'lib/registry.generated.ts',
  ...Object.fromEntries(
    systemPlaces().map(({ family, name }) => [
      `models/${family}/${name}/index`,
      `lib/models/${family}/${name}/index.ts`,
    ]),
  ),
}

/** Run, not imported: the command, and the program of the threads that load data, which both builds start. */
const programs = {
  'cli/main': 'lib/cli/main.ts',
  'data/worker': 'lib/data/worker.ts',
}

const common: Options = {
  outDir: 'dist',
  // Subpaths share their chunks: a class or a registry that stood in two files would exist twice.
  splitting: true,
  // Optional, so absent from the list of dependencies that tsup leaves alone.
  external: [/^node-av/],
  // import.meta.url in the CommonJS build.
  shims: true,
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  // Files and lines for stacks are enough: with the sources themselves the maps would be a tenth of the package.
  esbuildOptions: (options) => {
    options.sourcesContent = false
  },
}

// tools/build-js.ts empties dist/ before, and writes the declarations after.
export default defineConfig([
  { ...common, format: 'esm', entry: { ...library, ...programs } },
  { ...common, format: 'cjs', entry: library },
])
