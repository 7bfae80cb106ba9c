import { defineConfig } from 'tsup'

export default defineConfig({
  // The names agree with "exports" and "bin" of package.json.
  entry: {
    index: 'lib/index.ts',
    'ops/index': 'lib/ops/index.ts',
    'io/index': 'lib/io/index.ts',
    'metrics/index': 'lib/metrics/index.ts',
    'vision/index': 'lib/vision/index.ts',
    'cli/main': 'lib/cli/main.ts',
  },
  outDir: 'dist',
  format: ['esm', 'cjs'],
  // Subpaths share their chunks: a class or a registry that stood in two files would exist twice.
  splitting: true,
  dts: {
    entry: {
      index: 'lib/index.ts',
      'ops/index': 'lib/ops/index.ts',
      'io/index': 'lib/io/index.ts',
      'metrics/index': 'lib/metrics/index.ts',
      'vision/index': 'lib/vision/index.ts',
    },
  },
  // import.meta.url in the CommonJS build.
  shims: true,
  target: 'node20',
  platform: 'node',
  sourcemap: true,
  clean: true,
})
