import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { layerViolations, sources } from '../../tools/check-layers'

const violations = (path: string, text: string) => layerViolations(new Map([[path, text]]))

test('the package keeps its layers', () => {
  expect(layerViolations(sources(resolve(import.meta.dirname, '../..')))).toEqual([])
})

test('a line imports only from lines above it', () => {
  expect(violations('lib/nn/linear.ts', "import { add } from '../tensor/ops.generated'")).toEqual([])
  expect(violations('lib/tensor/print.ts', "import type { Module } from '../nn/module'")).toEqual([
    'lib/tensor/print.ts imports lib/nn/module: lib/tensor may not depend on lib/nn',
  ])
  expect(violations('lib/nn/clip.ts', "const optim = await import('../optim')")).toEqual([
    'lib/nn/clip.ts imports lib/optim: lib/nn may not depend on lib/optim',
  ])
})

test('the library imports nothing of tools and tests', () => {
  expect(violations('lib/io/image.ts', "export * from '../../tools/build'")).toEqual([
    'lib/io/image.ts imports tools/build, which is outside lib',
  ])
  expect(violations('lib/native/load.ts', "import type { Bridge } from '../../bindings.js'")).toEqual([])
})

test('a system never imports another', () => {
  const other = "import { Head } from '../flow-net/model'"
  expect(violations('lib/models/video/slow-net/model.ts', other)).toHaveLength(1)
  expect(violations('lib/models/video/slow-net/model.ts', "import { Head } from './head'")).toEqual([])
})

test('a folder that no line names is noticed', () => {
  expect(violations('lib/helpers/text.ts', '')).toHaveLength(1)
})

test('only lib/native opens binaries', () => {
  expect(violations('lib/io/image.ts', 'process.dlopen(module, path)')).toEqual([
    'lib/io/image.ts opens a binary; only lib/native does',
  ])
  expect(violations('lib/native/load.ts', 'process.dlopen(module, path)')).toEqual([])
})

test('kernels include no header of Node', () => {
  expect(violations('native/torch/ops/tvl1_flow.cc', '#include <ATen/core/Tensor.h>\n')).toEqual([])
  expect(violations('native/torch/ops/tvl1_flow.cc', '#include <node_api.h>\n')).toHaveLength(1)
  expect(violations('native/cuda/tvl1_flow.cu', '#include "node/value.h"\n')).toHaveLength(1)
  expect(violations('native/node/value.cc', '#include <node_api.h>\n')).toEqual([])
})
