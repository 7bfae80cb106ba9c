import { call, eye, full, ones, randn, tensor } from '../../lib'

const int64 = (...values: (number | bigint)[]) => tensor(BigInt64Array.from(values.map(BigInt)))
const int32 = (...values: number[]) => tensor(Int32Array.from(values))
const SMALLEST = -(2n ** 63n)
const LARGEST = 2n ** 63n - 1n

/** What LibTorch 2.11.0 does on the call when nothing guards it. */
export type Effect = 'crash' | 'memory corrupted' | 'reads beyond memory' | 'never ends' | 'wrong result'

export interface UpstreamCrash {
  /** As in the table of docs/upstream-crashes.md. */
  readonly text: string
  readonly effect: Effect
  readonly make: () => unknown
  /** What the refusal says, where LibTorch is the one that refuses because we told it to check. */
  readonly refusal?: RegExp
}

const adam = (gradient: readonly number[]) => [
  [ones([3])],
  [ones(gradient)],
  [ones([3])],
  [ones([3])],
  [],
  [ones([1])],
  0.1,
  0.9,
  0.99,
  0,
  1e-8,
  false,
  false,
]

/** A minimal call for each rule of native/node/guard_rules.cc. */
export const UPSTREAM_CRASHES: readonly UpstreamCrash[] = [
  {
    text: 'native_batch_norm(ones(2,3,4), false, 0.1, 1e-5), also with running_mean of a wrong size',
    effect: 'crash',
    make: () => call('aten::native_batch_norm', [ones([2, 3, 4]), false, 0.1, 1e-5]),
  },
  {
    text: '_batch_norm_with_update(ones(2,3,4), ones(0), ones(0), 0.1, 1e-5)',
    effect: 'crash',
    make: () => call('aten::_batch_norm_with_update', [ones([2, 3, 4]), ones([0]), ones([0]), 0.1, 1e-5]),
  },
  {
    text: 'ones(3,4)[1:].add_(ones(2,4).to_sparse()): a view; sub_ and mul_ alike',
    effect: 'memory corrupted',
    make: () => call('aten::add_.Tensor', [ones([3, 4]).narrow(0, 1, 2), ones([2, 4]).toSparse()]),
  },
  {
    text: 'binomial([NaN], [0.5])',
    effect: 'never ends',
    make: () => call('aten::binomial', [tensor([Number.NaN]), tensor([0.5])]),
  },
  {
    text: 'col2im(ones(8,20), [5,6], 2, 1, 2^31, 1)',
    effect: 'never ends',
    make: () => call('aten::col2im', [ones([8, 20]), [5, 6], 2, 1, 2 ** 31, 1]),
  },
  {
    text: 'combinations([1,2,3], r=2^31)',
    effect: 'never ends',
    make: () => call('aten::combinations', [tensor([1, 2, 3])], { r: 2 ** 31 }),
  },
  {
    text: 'copy(ones(2,4).to_sparse_csr(), ones(2,4)); copy_ alike',
    effect: 'crash',
    make: () => call('aten::copy', [ones([2, 4]).toSparseCsr(), ones([2, 4])]),
  },
  {
    text: 'ctc_loss(randn(5,2,4), [[1,2,3],[1,2,3e9]], [5,5], [3,3])',
    effect: 'crash',
    make: () =>
      call('aten::ctc_loss.IntList', [randn([5, 2, 4]), int64(1, 2, 3, 1, 2, 3e9).reshape([2, 3]), [5, 5], [3, 3]]),
  },
  {
    text: 'div([−2^63], [−1], rounding_mode="trunc"), also int32; divide alike',
    effect: 'crash',
    make: () => call('aten::div.Tensor_mode', [int64(SMALLEST), int64(-1)], { roundingMode: 'trunc' }),
  },
  {
    text: 'embedding_bag(ones(4,3), [0,1], [0], mode=65536)',
    effect: 'memory corrupted',
    make: () => call('aten::embedding_bag', [ones([4, 3]), int64(0, 1), int64(0)], { mode: 65536 }),
  },
  {
    text: 'embedding_bag(ones(6,3), six indices, [0], include_last_offset=True, padding_idx=0)',
    effect: 'crash',
    make: () =>
      call(
        'aten::embedding_bag.padding_idx',
        [ones([6, 3]), int64(0, 1, 2, 0, 1, 2), int64(0), false, 0, false, true],
        {
          paddingIdx: 0,
        },
      ),
  },
  {
    text: 'embedding_bag(ones(4,2), six indices, offsets=[], mode=1)',
    effect: 'crash',
    make: () => call('aten::embedding_bag', [ones([4, 2]), int64(0, 1, 2, 0, 1, 2), int64()], { mode: 1 }),
  },
  {
    text: 'fractional_max_pool3d(ones(1,2,7,8,8), −2^63, 2, ones(1,2,3)); fractional_max_pool2d alike',
    effect: 'never ends',
    make: () => call('aten::fractional_max_pool3d', [ones([1, 2, 7, 8, 8]), SMALLEST, 2, ones([1, 2, 3])]),
  },
  {
    text: '_fused_adam_ with a gradient of two numbers for a parameter of three; _fused_adamw_, _fused_sgd_, _fused_adagrad_ alike',
    effect: 'memory corrupted',
    make: () => call('aten::_fused_adam_', adam([2])),
  },
  {
    text: 'lcm([−2^63], [5]), also int32',
    effect: 'crash',
    make: () => call('aten::lcm', [int64(SMALLEST), int64(5)]),
  },
  {
    text: 'linalg_eigvals of a 4 × 4 matrix with NaN or infinity, at times',
    effect: 'crash',
    make: () => call('aten::linalg_eigvals', [full([3, 4, 4], Number.NaN)]),
  },
  {
    text: 'linalg_ldl_solve(eye(3), pivots=[0,0,0], ones(3,1))',
    effect: 'crash',
    make: () => call('aten::linalg_ldl_solve', [eye(3), int32(0, 0, 0), ones([3, 1])]),
  },
  {
    text: 'linalg_matrix_power(eye(3), −2^63); matrix_power alike',
    effect: 'never ends',
    make: () => call('aten::linalg_matrix_power', [eye(3), SMALLEST]),
  },
  {
    text: 'lstm(ones(3,1,4), [ones(2,1,4), ones(1,1,5)], parameters, …): two hidden, one cell state',
    effect: 'crash',
    make: () =>
      call('aten::lstm.input', [
        ones([3, 1, 4]),
        [ones([2, 1, 4]), ones([1, 1, 5])],
        [ones([16, 4]), ones([16, 4]), ones([4, 4])],
        false,
        2,
        0,
        true,
        false,
        false,
      ]),
  },
  {
    text: 'lstm(ones(5,2,3), states [1,1,4] and [1,2,4], parameters, …); wrong weights alike, and gru and rnn_*',
    effect: 'crash',
    make: () =>
      call('aten::lstm.input', [
        ones([5, 2, 3]),
        [ones([1, 1, 4]), ones([1, 2, 4])],
        [ones([16, 3]), ones([16, 4]), ones([16]), ones([16])],
        true,
        1,
        0,
        true,
        false,
        false,
      ]),
  },
  {
    text: 'native_channel_shuffle(ones(1,6,6,8).to_sparse_csr(), 0)',
    effect: 'crash',
    make: () => call('aten::native_channel_shuffle', [ones([1, 6, 6, 8]).toSparseCsr(), 0]),
  },
  {
    text: 'rnn_tanh(ones(5,3), batch_sizes=[], hx, parameters, …); rnn_relu, gru, lstm alike',
    effect: 'crash',
    make: () =>
      call('aten::rnn_tanh.data', [
        ones([5, 3]),
        int64(),
        ones([1, 2, 4]),
        [ones([4, 3]), ones([4, 4])],
        false,
        1,
        0,
        false,
        false,
      ]),
  },
  {
    text: 'rnn_tanh(…, num_layers=2^31, …); rnn_relu, gru, lstm alike',
    effect: 'never ends',
    make: () =>
      call('aten::rnn_tanh.input', [
        ones([4, 1, 3]),
        ones([1, 1, 4]),
        [ones([4, 3]), ones([4, 4])],
        false,
        2 ** 31,
        0,
        false,
        false,
        false,
      ]),
  },
  {
    text: 'lu_unpack(eye(3), pivots=[])',
    effect: 'crash',
    make: () => call('aten::lu_unpack', [eye(3), int32()]),
  },
  {
    text: 'max_pool1d(ones(1,1,4), 2^63−1); max_pool2d and max_pool3d with a padding of 2^30 never end',
    effect: 'crash',
    make: () => call('aten::max_pool1d', [ones([1, 1, 4]), LARGEST]),
  },
  {
    text: 'median(ones(1,3).expand(4,3), 0); nanmedian alike',
    effect: 'wrong result',
    make: () => call('aten::median.dim', [ones([1, 3]).expand([4, 3]), 0]),
  },
  {
    text: '_native_multi_head_attention with num_head=0',
    effect: 'crash',
    make: () => {
      const x = ones([1, 3, 4])
      return call('aten::_native_multi_head_attention', [
        x,
        x,
        x,
        4,
        0,
        ones([12, 4]),
        ones([12]),
        ones([4, 4]),
        ones([4]),
      ])
    },
  },
  {
    text: 'reflection_pad3d(ones(1,4,4,4), []); replication_pad3d alike, and 2d and 1d with lists of a wrong length',
    effect: 'crash',
    make: () => call('aten::reflection_pad3d', [ones([1, 4, 4, 4]), []]),
  },
  {
    text: 'replication_pad2d(ones(1,4,4), 2^63−1); the other paddings alike',
    effect: 'crash',
    make: () => call('aten::replication_pad2d', [ones([1, 4, 4]), LARGEST]),
  },
  {
    text: 'rrelu_with_noise(ones(4,4), noise=ones(1).expand(4,4), training=True), also in place',
    effect: 'memory corrupted',
    make: () => call('aten::rrelu_with_noise', [ones([4, 4]), ones([1]).expand([4, 4])], { training: true }),
  },
  {
    text: 'scaled_dot_product_attention(ones(3,3,5,4), ones(3,3,4,4), ones(3,3,0,4))',
    effect: 'crash',
    make: () =>
      call('aten::scaled_dot_product_attention', [ones([3, 3, 5, 4]), ones([3, 3, 4, 4]), ones([3, 3, 0, 4])]),
  },
  {
    text: 'segment_reduce(ones(6,2), "sum", offsets=[−3000000,3,6]), also lengths with unsafe=True',
    effect: 'crash',
    make: () => call('aten::segment_reduce', [ones([6, 2]), 'sum'], { offsets: int64(-3e6, 3, 6) }),
  },
  {
    text: 'sparse_csr_tensor([0,1,1000000], [0,1], ones(2), [2,3]).to_dense(), and all sparse tensors with bad indices',
    effect: 'reads beyond memory',
    refusal: /crow_indices/,
    make: () => call('aten::sparse_csr_tensor.crow_col_value_size', [int64(0, 1, 1e6), int64(0, 1), ones([2]), [2, 3]]),
  },
  {
    text: 'special_legendre_polynomial_p([0.5], 2^40); all special_*_polynomial_* alike',
    effect: 'never ends',
    make: () => call('aten::special_legendre_polynomial_p', [tensor([0.5]), 2 ** 40]),
  },
  {
    text: 'tensor_split(ones(4), 2^31); hsplit, vsplit, dsplit and chunk of an empty tensor alike',
    effect: 'never ends',
    make: () => call('aten::tensor_split.sections', [ones([4]), 2 ** 31]),
  },
  {
    text: '_scaled_dot_product_flash_attention_for_cpu with a key of fewer batches, heads or positions than the others',
    effect: 'reads beyond memory',
    make: () => {
      const x = ones([3, 2, 1, 4])
      return call('aten::_scaled_dot_product_flash_attention_for_cpu', [x, ones([1, 1, 1, 4]), x])
    },
  },
  {
    text: '_transform_bias_rescale_qkv(ones(1,3,12), ones(12), 0)',
    effect: 'crash',
    make: () => call('aten::_transform_bias_rescale_qkv', [ones([1, 3, 12]), ones([12]), 0]),
  },
  {
    text: '_weight_norm_interface(ones(3,4), ones(2)); _weight_norm alike',
    effect: 'memory corrupted',
    make: () => call('aten::_weight_norm_interface', [ones([3, 4]), ones([2])]),
  },
]
