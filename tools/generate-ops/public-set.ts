import type { NativeFunction } from './native-functions'
import type { Schema } from './schema'

/** Where an operator overload appears. */
export type Surface = 'public' | 'private'

interface Rule {
  readonly names: RegExp
  readonly reason: string
}

/** Operators that stay behind the raw `call`; the first rule whose pattern matches the whole name tells why. */
const LEFT_OUT: readonly Rule[] = [
  { names: /.*backward.*|.*_jvp/, reason: 'derivatives are reached through autograd' },
  { names: /(?:mkldnn|miopen|cudnn|mps|fbgemm)_.*|.*_mkldnn|lstm_mps.*|hspmm/, reason: 'one backend only' },
  {
    names: /(?!fake_).*quantize.*|q_.*|qscheme|int_repr|choose_qparams.*|fused_moving_avg_obs.*|.*cachemask.*/,
    reason: 'quantisation internals',
  },
  { names: /(?!index_copy$).+_copy/, reason: 'copying twins of views, made for functionalisation' },
  { names: /.*_forward/, reason: 'halves of a loss that return what their backward needs' },
  {
    names: /slow_conv.*|thnn_.*|conv_depthwise3d|.*_overrideable/,
    reason: 'backend kernels of convolution, without its checks',
  },
  { names: /batch_norm_(?:stats|elemt|gather.*|update_stats)/, reason: 'CUDA kernels of SyncBatchNorm' },
  { names: /sym_.*/, reason: 'symbolic shapes of the Python compiler' },
  { names: /align_.*|refine_names|rename_?/, reason: 'named dimensions' },
  {
    names: /lift|lift_fresh|alias|set_|set_data|record_stream|output_nr|is_distributed|is_vulkan_available/,
    reason: 'plumbing of handles and backends',
  },
  {
    names:
      /copy_sparse_to_sparse_|resize_as_sparse_|sparse_resize.*|native_norm|linalg__powsum|nested_to_padded_tensor/,
    reason: 'internals of other operators',
  },
  { names: /resize_|resize_as_/, reason: 'changes the memory under other views of it' },
  { names: /numpy_T|matrix_H/, reason: 'Python properties; t(), mT() and mH() do the same' },
]

/** Free functions and methods that are written by hand: why the generator must not make them. */
const BY_HAND: readonly Rule[] = [
  {
    names:
      /zeros|ones|full|empty|arange|linspace|logspace|eye|rand|randn|randint|randperm|scalar_tensor|from_file|range/,
    reason: 'creation takes sizes and values in JavaScript forms (lib/tensor/creation.ts)',
  },
  { names: /item|data|to/, reason: 'leave the device or choose among forms by value (lib/tensor/tensor.ts)' },
  {
    names: /size|stride|storage_offset|is_leaf|requires_grad_|retain_grad|retains_grad|_version/,
    reason: 'properties that are read from the handle, not computed by an operator',
  },
]

/** Private operators that later layers build on; the `_` marks that PyTorch may change them. */
const NEEDED_PRIVATE: readonly Rule[] = [
  { names: /_fused_(?:adam|adamw|sgd|adagrad)_/, reason: 'optimiser steps over a list of parameters' },
  { names: /_foreach_(?!copy$).*/, reason: 'one call for a list of tensors: optimisers, gradient clipping, EMA' },
  { names: /_amp_.*/, reason: 'gradient scaling' },
  {
    names:
      /_scaled_dot_product_(?:attention_math|flash_attention_for_cpu|flash_attention|efficient_attention|cudnn_attention)|_fused_sdp_choice|_native_multi_head_attention|_transform_bias_rescale_qkv/,
    reason: 'attention',
  },
  {
    names:
      /_weight_norm|_weight_norm_interface|_batch_norm_impl_index|_batch_norm_with_update|_native_batch_norm_legit|_fused_rms_norm/,
    reason: 'norms',
  },
  { names: /_softmax|_log_softmax|_safe_softmax|_masked_softmax/, reason: 'softmax with an explicit conversion' },
  { names: /_cdist_forward|_euclidean_dist/, reason: 'distances' },
  { names: /_pack_padded_sequence|_pad_packed_sequence|_thnn_fused_(?:lstm|gru)_cell/, reason: 'recurrent networks' },
  {
    names: /_embedding_bag|_ctc_loss|_unique2|_convolution|_prelu_kernel|_int_mm|_standard_gamma|_sample_dirichlet/,
    reason: 'bodies of public functions with more results',
  },
  { names: /_upsample_(?:bilinear2d_aa|bicubic2d_aa|nearest_exact[123]d)/, reason: 'resizing with antialiasing' },
  {
    names: /_adaptive_avg_pool[23]d|_conj|_to_copy/,
    reason: 'compositions that captured graphs record',
  },
]

/** Types that no TypeScript value stands for. */
const UNSUPPORTED = new Set(['Storage', 'Stream', 'QScheme', 'Dict', 'AnyEnumType'])

const matching = (rules: readonly Rule[], name: string): Rule | undefined =>
  rules.find(({ names }) => new RegExp(`^(?:${names.source})$`).test(name))

/** Where an overload goes, or why it goes nowhere. */
export function placeOf(schema: Schema, native: NativeFunction | undefined): Surface | { readonly leftOut: string } {
  if (schema.qualified !== `aten::${schema.name}`) return { leftOut: 'another namespace' }
  if (!native) return { leftOut: 'not in native_functions.yaml: TorchScript or an out form' }
  if (schema.args.some((a) => a.written && a.keywordOnly)) return { leftOut: 'an out form' }
  if (native.named) return { leftOut: 'named dimensions' }
  const types = [...schema.args, ...schema.results].map((a) => a.type)
  const foreign = types.find((t) => UNSUPPORTED.has(t.base) || t.base.startsWith('__torch__'))
  if (foreign) return { leftOut: `a ${foreign.base} has no TypeScript form` }

  const byHand = matching(BY_HAND, schema.name)
  if (byHand) return { leftOut: byHand.reason }
  if (schema.name.startsWith('_')) {
    if (matching(NEEDED_PRIVATE, schema.name)) return 'private'
    return { leftOut: 'private to LibTorch' }
  }
  const rule = matching(LEFT_OUT, schema.name)
  return rule ? { leftOut: rule.reason } : 'public'
}
