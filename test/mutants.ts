/** A one-line defect, and the test that must notice it. */
export interface Mutant {
  readonly name: string
  /** File of the project; `find` occurs in it exactly once. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Test file, and part of the titles of the tests in it to run. */
  readonly test: string
  readonly title?: string
}

const HANDLES = { file: 'native/node/handles.cc', test: 'test/tensor/handles.test.ts' }
const VALUES = { file: 'native/node/value.cc', test: 'test/native/bridge.test.ts' }
const SCOPES = { file: 'lib/tensor/scope.ts', test: 'test/tensor/scope.test.ts' }
const CALLS = { file: 'lib/tensor/call.ts', test: 'test/native/bridge.test.ts' }
const PIXELS = { file: 'native/torch/ops/tvl1_flow_math.h', test: 'test/native/tvl1-flow-steps.test.ts' }
const BINARY = { test: 'test/native/binary-conv3d.test.ts' }
const TRAINER = { test: 'test/train/trainer.test.ts' }
const GRAPHS = { test: 'test/tensor/graph.test.ts' }
const HOOKS = { file: 'native/node/autograd.cc', test: 'test/tensor/autograd-hooks.test.ts' }

export const MUTANTS: readonly Mutant[] = [
  // ---- The bridge ---------------------------------------------------------------------------------------------------
  {
    ...HANDLES,
    name: 'a freed slot keeps its generation',
    find: '++slots_[index].generation;',
    replace: '',
  },
  {
    ...HANDLES,
    name: 'a stale handle finds the new tensor of its slot',
    find: 'return slot.generation == bits / kCapacity && slot.tensor.defined() ? index : kNone;',
    replace: 'return slot.tensor.defined() ? index : kNone;',
  },
  {
    ...VALUES,
    name: 'a fraction passes for an integer',
    find: 'constexpr uint32_t kInts = bit(Tag::kInt) | bit(Tag::kBigInt);',
    replace: 'constexpr uint32_t kInts = bit(Tag::kInt) | bit(Tag::kBigInt) | bit(Tag::kDouble);',
  },
  {
    ...VALUES,
    name: 'int64 results are rounded to doubles',
    find: 'const bool exact = value > -kExact && value < kExact;',
    replace: 'const bool exact = true;',
  },
  {
    ...VALUES,
    name: 'null in a list of tensors is taken for a disposed tensor',
    find: 'if (frame.at(at) == 0) list.push_back(std::nullopt);',
    replace: 'if (frame.at(at) == 0) list.push_back(tensor_at(frame, at, registry));',
  },
  {
    name: 'an in-place change during an asynchronous call goes unnoticed',
    file: 'native/node/async.cc',
    find: 'if (tensor._version() == version) continue;',
    replace: 'continue;',
    test: 'test/tensor/async.test.ts',
  },
  {
    name: 'the memory limit is not enforced',
    file: 'native/node/memory.cc',
    find: 'static_cast<int64_t>(bytes) > allowed - held) {',
    replace: 'false) {',
    test: 'test/tensor/memory.test.ts',
  },
  {
    name: 'overloads are tried by their number of positional arguments only',
    file: 'native/node/functions.cc',
    find: 'if (!takes(candidate.arguments[candidate.positional[i]], layout.positional[i])) return false;',
    replace: '',
    test: 'test/native/bridge.test.ts',
  },
  // ---- Calls --------------------------------------------------------------------------------------------------------
  {
    ...VALUES,
    name: 'minus zero loses its sign',
    find: 'if (number == 0 && std::signbit(number)) return c10::Scalar(number);',
    replace: '',
  },
  {
    ...CALLS,
    name: 'a bigint beyond 64 bits wraps around',
    find: 'if (BigInt.asIntN(64, value) === value) return value',
    replace: 'return BigInt.asIntN(64, value)',
  },
  {
    ...CALLS,
    name: 'a call during the layout of another goes unnoticed',
    find: 'native.serial += 1',
    replace: '',
  },
  // ---- Scopes -------------------------------------------------------------------------------------------------------
  {
    ...SCOPES,
    name: 'a scope frees nothing',
    find: 'frame[count++] = item[HANDLE]',
    replace: '',
  },
  {
    ...SCOPES,
    name: 'a scope frees what it returns',
    find: 'for (const tensor of tensorsIn(result)) if (tensor[OWNER] === this) adopt(tensor, this.parent)',
    replace: 'tensorsIn(result)',
  },
  {
    ...SCOPES,
    name: 'tensors of a closed scope are lost',
    find: 'while (scope && !scope.open) scope = scope.parent',
    replace: '',
  },
  {
    ...SCOPES,
    name: 'keep leaves the tensor in its scope',
    find: 'if (tensor[OWNER] !== undefined) adopt(tensor, undefined)',
    replace: '',
  },
  // ---- Elements, indexing -------------------------------------------------------------------------------------------
  {
    name: 'bfloat16 is read with its bytes in the wrong place',
    file: 'lib/tensor/elements.ts',
    find: 'wide[i] = (bits[i] as number) << 16',
    replace: 'wide[i] = (bits[i] as number) << 15',
    test: 'test/tensor/elements.test.ts',
  },
  {
    name: 'subnormal halves are read as zero',
    file: 'lib/tensor/elements.ts',
    find: 'if (exponent === 0) return sign * fraction * 2 ** -24',
    replace: 'if (exponent === 0) return sign * 0',
    test: 'test/tensor/elements.test.ts',
  },
  {
    name: 'numbers and booleans mix in the data of one tensor',
    file: 'lib/tensor/creation.ts',
    find: 'if (kinds.size > 1) throw',
    replace: 'if (kinds.size > 9) throw',
    test: 'test/tensor/creation.test.ts',
  },
  // ---- Gradients ----------------------------------------------------------------------------------------------------
  {
    ...HOOKS,
    name: 'what a hook returns is dropped',
    find: '    gradient = replacement;\n',
    replace: '',
  },
  {
    ...HOOKS,
    name: 'the call that waits for a hook loses its frame',
    find: 'std::copy(frame_.begin(), frame_.end(), environment_.frame.data);',
    replace: '',
  },
  {
    ...HOOKS,
    name: 'a removed hook stays with its tensor',
    find: 'if (const auto list = found->second.list.lock()) list->remove(id);',
    replace: '',
  },
  {
    name: 'an unused input gives null, asked or not',
    file: 'native/torch/ops/gradients.cc',
    find: 'allow_unused || gradients[i].defined()',
    replace: 'true',
    test: 'test/tensor/autograd-grad.test.ts',
  },
  {
    name: 'anomaly mode forgets the line',
    file: 'native/node/anomaly.cc',
    find: 'site_ = current_site;',
    replace: '',
    test: 'test/tensor/autograd-anomaly.test.ts',
  },
  {
    name: 'numerical derivatives are twice too large',
    file: 'lib/tensor/gradcheck.ts',
    find: '/ (2 * settings.eps)',
    replace: '/ settings.eps',
    test: 'test/tensor/gradcheck.test.ts',
  },
  {
    name: "hooks run for a base's forward too",
    file: 'lib/nn/module.ts',
    find: 'if (this.forward !== scopedForward)',
    replace: 'if (scopedForward === undefined)',
    test: 'test/nn/hooks.test.ts',
  },
  // ---- Graphs -------------------------------------------------------------------------------------------------------
  {
    ...GRAPHS,
    name: 'a graph forgets to free values',
    file: 'native/node/graph.cc',
    find: 'for (const ValueId id : instruction.released) values[id].reset();',
    replace: 'for (const ValueId id : outputs_) values[id].reset();',
  },
  {
    ...GRAPHS,
    name: 'inputs of other shapes share a graph',
    file: 'lib/tensor/graph.ts',
    find: 'graph.key === key &&',
    replace: '',
  },
  // ---- Flow ---------------------------------------------------------------------------------------------------------
  {
    ...PIXELS,
    name: 'the threshold step goes up the gradient',
    find: 'return rho < -limit ? lambda_theta : (rho > limit ? -lambda_theta : exact);',
    replace: 'return rho < -limit ? -lambda_theta : (rho > limit ? lambda_theta : exact);',
    title: 'check 2',
  },
  {
    ...PIXELS,
    name: 'the divergence is a forward difference in x',
    find: 'return (px - px_left) + (py - py_above);',
    replace: 'return (px_left - px) + (py - py_above);',
    title: 'check 1',
  },
  {
    ...PIXELS,
    name: 'the dual vector leaves the unit disc',
    find: 'return 1.0f / (1.0f + tau_over_theta * sqrtf(dx * dx + dy * dy));',
    replace: 'return 1.0f;',
    title: 'check 3',
  },
  {
    ...PIXELS,
    name: 'the image gradient is not halved',
    find: 'return 0.5f * (after - before);',
    replace: 'return (after - before);',
    title: 'check 7',
  },
  {
    name: 'flow is quantised without rounding',
    file: 'lib/ops/tvl1-flow.ts',
    find: 'return share.add(0.5).floor()',
    replace: 'return share.floor()',
    test: 'test/native/tvl1-flow-api.test.ts',
    title: 'check 14',
  },
  // ---- Binary convolution --------------------------------------------------------------------------------------------
  {
    ...BINARY,
    name: 'a tap outside the input counts',
    file: 'native/torch/ops/cpu/binary_conv3d.cc',
    find: 'std::min(left + shape_.kernel[2], shape_.in[2]) - std::max<int64_t>(left, 0);',
    replace: 'shape_.kernel[2];',
    title: 'check 1',
  },
  {
    ...BINARY,
    name: 'a threshold takes every scale for positive',
    file: 'native/torch/ops/cpu/binary_conv3d_thresholds.cc',
    find: 'const int32_t sign = scale[c] < 0.0f ? -1 : 1;',
    replace: 'const int32_t sign = 1;',
    title: 'check 8',
  },
  {
    ...BINARY,
    name: 'PReLU of a binary block has its slope on both sides',
    file: 'native/torch/ops/binary_conv3d_epilogue.h',
    find: 'r > 0.0f ? r : slope * r;',
    replace: 'slope * r;',
    title: 'check 8',
  },
  {
    ...BINARY,
    name: 'a binary weight of 1 has no gradient',
    file: 'native/torch/ops/binary_conv3d_train.cc',
    find: 'wide_weight.abs().le(1.0)',
    replace: 'wide_weight.abs().lt(1.0)',
    title: 'check 5',
  },
  // ---- Detection ----------------------------------------------------------------------------------------------------
  {
    name: 'boxes of one block do not suppress one another',
    file: 'native/torch/ops/cpu/nms.cc',
    find: 'if (covers(kept, before, candidate)) continue;',
    replace: '',
    test: 'test/native/nms.test.ts',
    title: 'equals torchvision',
  },
  {
    name: 'a score of −0 comes after one of 0',
    file: 'native/torch/ops/cpu/nms_order.h',
    find: 'score == T(0) ? T(0) : score',
    replace: 'score',
    test: 'test/native/nms.test.ts',
    title: 'of equal scores the first stays',
  },
  {
    name: 'a region may be smaller than a pixel',
    file: 'native/torch/ops/roi_align_samples.h',
    find: 'if (!aligned && size < T(1)) size = T(1);',
    replace: '',
    test: 'test/native/roi-align.test.ts',
    title: 'equals the reference',
  },
  {
    name: 'offsets to the right have the slope of those down',
    file: 'native/torch/ops/cpu/deform_conv2d.cc',
    find: 'mask * deform_slope_x(tap, sums);',
    replace: 'mask * deform_slope_y(tap, sums);',
    test: 'test/native/deform-conv2d.test.ts',
    title: 'equals torchvision',
  },
  // ---- Labels and denoising -----------------------------------------------------------------------------------------
  {
    name: 'a run joins only the last of the runs of another value behind it',
    file: 'native/torch/ops/cpu/connected_components.cc',
    find: 'if (!binary && j > 0) --j;',
    replace: '',
    test: 'test/native/connected-components.test.ts',
    title: 'scikit-image',
  },
  {
    name: 'slabs of rows are not joined',
    file: 'native/torch/ops/cpu/connected_components.cc',
    find: 'for (size_t s = 1; s < slabs_.size(); ++s) {',
    replace: 'for (size_t s = 1; s < 1; ++s) {',
    test: 'test/native/connected-components.test.ts',
    title: 'joined across them',
  },
  {
    name: 'the watershed forgets that a lower level was uncovered',
    file: 'native/torch/ops/cpu/watershed_queue.h',
    find: 'if (level < lowest_ || lowest_ < 0) lowest_ = level;',
    replace: 'if (lowest_ < 0) lowest_ = level;',
    test: 'test/native/watershed.test.ts',
    title: 'uncovers',
  },
  {
    name: 'blocks of BM3D are weighted alike',
    file: 'native/torch/ops/bm3d.cc',
    find: 'constexpr double beta = 2.0;',
    replace: 'constexpr double beta = 0.0;',
    test: 'test/native/bm3d.test.ts',
    title: 'slow program',
  },
  // ---- Files, measures, pictures ------------------------------------------------------------------------------------
  {
    name: 'a truncated .flo file is read',
    file: 'lib/io/flow-flo.ts',
    find: 'if (bytes.byteLength !== expected) {',
    replace: 'if (bytes.byteLength > expected) {',
    test: 'test/io/flow.test.ts',
  },
  {
    name: 'u and v of a .flo file are swapped',
    file: 'lib/io/flow-flo.ts',
    find: 'const [u, v] = [interleaved[2 * i] as number, interleaved[2 * i + 1] as number]',
    replace: 'const [v, u] = [interleaved[2 * i] as number, interleaved[2 * i + 1] as number]',
    test: 'test/io/flow.test.ts',
  },
  {
    name: 'KITTI flow has its zero one step off',
    file: 'lib/io/flow-kitti.ts',
    find: 'const ZERO = 2 ** 15',
    replace: 'const ZERO = 2 ** 15 + 1',
    test: 'test/io/flow.test.ts',
  },
  {
    name: 'unknown pixels of KITTI flow count as known',
    file: 'lib/io/flow-kitti.ts',
    find: 'if (samples[3 * i + 2] === 0) continue',
    replace: '',
    test: 'test/io/flow.test.ts',
  },
  {
    name: 'the angular error is in radians',
    file: 'lib/metrics/flow.ts',
    find: '.mul(180 / Math.PI)',
    replace: '',
    test: 'test/metrics/flow.test.ts',
  },

  // ---- Layers -------------------------------------------------------------------------------------------------------
  {
    name: "'same' puts the odd element first",
    file: 'lib/nn/conv.ts',
    find: 'return [Math.floor(total / 2), Math.ceil(total / 2)]',
    replace: 'return [Math.ceil(total / 2), Math.floor(total / 2)]',
    test: 'test/nn/linear-conv.test.ts',
  },
  {
    name: 'cumulative batch norm weighs every batch alike too late',
    file: 'lib/nn/norm.ts',
    find: '? 1 / this.numBatchesTracked.toNumber() : 0',
    replace: '? 1 / (this.numBatchesTracked.toNumber() + 1) : 0',
    test: 'test/nn/norm-dropout.test.ts',
  },
  {
    name: 'stochastic depth does not scale what it keeps',
    file: 'lib/nn/functional/dropout.ts',
    find: 'survival > 0 ? kept.div_(survival) : kept',
    replace: 'kept',
    test: 'test/nn/norm-dropout.test.ts',
  },
  {
    name: 'linear layers begin twice as wide',
    file: 'lib/nn/linear.ts',
    find: 'fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0',
    replace: 'fanIn > 0 ? 2 / Math.sqrt(fanIn) : 0',
    test: 'test/nn/init.test.ts',
  },
  {
    name: 'a recomputed scale is the one that was given',
    file: 'lib/nn/functional/vision.ts',
    find: 'return recomputeScaleFactor ? { outputSize: scaled(spatial, factors) } : { scaleFactors: factors }',
    replace: 'return { scaleFactors: factors }',
    test: 'test/nn/spatial.test.ts',
  },
  {
    name: "a forward's intermediate tensors stay alive",
    file: 'lib/nn/module.ts',
    find: 'return tidy(() => forward.apply(this, args))',
    replace: 'return forward.apply(this, args)',
    test: 'test/nn/module.test.ts',
  },
  {
    name: 'a state dict is half loaded before it is refused',
    file: 'lib/nn/state-dict.ts',
    find: '} else matched.push([target, source])',
    replace: '} else matched.push([target, target.copy_(source)])',
    test: 'test/nn/module.test.ts',
  },
  {
    name: 'a stream of random numbers forgets the epoch',
    file: 'lib/data/random.ts',
    find: 'philox([low, high, this.epoch >>> 0, this.stream], this.#key)',
    replace: 'philox([low, high, 0, this.stream], this.#key)',
    test: 'test/data/random.test.ts',
  },
  {
    name: 'random numbers below n favour the small',
    file: 'lib/data/random.ts',
    find: 'const end = 2 ** 32 - (2 ** 32 % n)',
    replace: 'const end = 2 ** 32',
    test: 'test/data/random.test.ts',
  },
  {
    name: "a sample's randomness forgets the epoch",
    file: 'lib/data/random.ts',
    find: 'epoch >>> 0, Stream.Samples], words(seed))',
    replace: '0, Stream.Samples], words(seed))',
    test: 'test/data/loader.test.ts',
  },
  {
    name: "a loader's position counts what was loaded ahead",
    file: 'lib/data/loader.ts',
    find: '        position.batch += 1\n',
    replace: '        position.batch += 2\n',
    test: 'test/data/loader.test.ts',
  },
  {
    name: 'a batch is freed only at the end of the loop',
    file: 'lib/data/loader.ts',
    find: '        yield loaded.value as B\n        held.close(undefined)\n',
    replace: '        yield loaded.value as B\n',
    test: 'test/data/loader.test.ts',
  },
  {
    name: 'batches that nobody took stay',
    file: 'lib/data/iteration.ts',
    find: '(loaded) => loaded?.scope.close(undefined),',
    replace: '() => {},',
    test: 'test/data/loader.test.ts',
  },
  {
    name: 'a batch frees tensors of its data set',
    file: 'lib/data/fetch.ts',
    find: 'if (tensor[OWNER] === working) kept.add(tensor)',
    replace: 'kept.add(tensor)',
    test: 'test/data/loader.test.ts',
  },
  {
    name: 'batches that come after the loop was left stay',
    file: 'lib/data/worker-thread.ts',
    find: "if (answer.type === 'batch') discardTensors(answer.message)",
    replace: '',
    test: 'test/data/workers.test.ts',
  },
  {
    name: 'a view that is sent shares the memory of what stays',
    file: 'native/node/transfer.cc',
    find: '  separate(tensors);\n',
    replace: '',
    test: 'test/tensor/transfer.test.ts',
  },

  // ---- Training and its files -----------------------------------------------------------------------------------------
  {
    name: 'a capture that failed is not undone',
    file: 'lib/train/step.ts',
    find: 'before.restore()',
    replace: '',
    ...TRAINER,
  },
  {
    name: 'the last batches of an epoch weigh as those of a whole group',
    file: 'lib/train/trainer.ts',
    find: 'Math.min(accumulate, (this.data.length ?? Number.POSITIVE_INFINITY) - (batch - (batch % accumulate)))',
    replace: 'accumulate',
    ...TRAINER,
  },
  {
    name: 'a resumed training forgets its place in the data',
    file: 'lib/train/state.ts',
    find: "if (parts.data.state) parts.data.loadState?.(need('loader') as never)",
    replace: '',
    test: 'test/train/kill.test.ts',
  },
  {
    name: 'a loss that is NaN goes on',
    file: 'lib/train/loss-window.ts',
    find: 'if (!Number.isFinite(numbers.loss)) throw',
    replace: 'if (Number.isFinite(numbers.loss) && numbers.loss === 1e300) throw',
    ...TRAINER,
  },
  {
    name: 'a string of a pickle is written beside its length',
    file: 'lib/io/pickle-writer.ts',
    find: 'this.#bytes.write(value, at + 4)',
    replace: 'this.#bytes.write(value, at + 3)',
    test: 'test/io/pickle-writer.test.ts',
  },

  // ---- Searches -----------------------------------------------------------------------------------------------------
  {
    name: 'a product of matrices counts as the distance itself',
    file: 'native/torch/ops/cpu/knn.cc',
    find: 'const A error = A(4 * dims_ + 32) * std::numeric_limits<A>::epsilon();',
    replace: 'const A error = A(0);',
    test: 'test/native/points.test.ts',
    title: 'close together',
  },
  {
    name: 'of points equally far the last is chosen',
    file: 'native/torch/ops/cpu/knn_points.inl',
    find: 'const Mask more = m > best;',
    replace: 'const Mask more = m >= best;',
    test: 'test/native/points.test.ts',
    title: 'furthest_point_sample',
  },
  {
    name: 'a point at the radius is in the ball',
    file: 'native/torch/ops/cpu/knn_points.inl',
    find: 'bits |= below(distances<kDims>(cloud, i + part * kLanes, query), limit)',
    replace: 'bits |= at_most(distances<kDims>(cloud, i + part * kLanes, query), limit)',
    test: 'test/native/points.test.ts',
    title: 'ball_query',
  },
  {
    name: 'matches of a tile are numbered from its start',
    file: 'native/torch/ops/cpu/topk_cosine.cc',
    find: 'score_key<A>((product * state.inverses[at]) * inverses_[q], static_cast<uint32_t>(first + at))',
    replace: 'score_key<A>((product * state.inverses[at]) * inverses_[q], static_cast<uint32_t>(at))',
    test: 'test/native/search.test.ts',
    title: 'topk_cosine',
  },

  // ---- Detection ----------------------------------------------------------------------------------------------------
  {
    name: 'complete IoU forgets the aspect ratio',
    file: 'lib/vision/boxes/overlap.ts',
    find: 'return distance.sub(alpha.mul(v))',
    replace: 'return distance',
    test: 'test/vision/boxes.test.ts',
    title: 'complete_box_iou',
  },
  {
    name: 'the best candidate of a true box is not rescued',
    file: 'lib/vision/boxes/matching.ts',
    find: 'return where(rescued, places, matches)',
    replace: 'return matches',
    test: 'test/vision/boxes.test.ts',
    title: 'by thresholds',
  },
  {
    name: 'true boxes are no proposals',
    file: 'lib/backbones/detection/roi-heads.ts',
    find: 'const all = cat([own, boxes.to(own.dtype)])',
    replace: 'const all = own',
    test: 'test/backbones/detectors.test.ts',
    title: 'faster has the losses',
  },
  {
    name: 'a keypoint on the far edge of its box is outside',
    file: 'lib/backbones/detection/keypoint.ts',
    find: '.maskedFill(value.eq(to), side - 1)',
    replace: '',
    test: 'test/backbones/detectors.test.ts',
    title: 'keypoint has the losses',
  },

  // ---- What runs out, and what is stopped --------------------------------------------------------------------------
  {
    name: 'a lock belongs to whoever has its number',
    file: 'lib/native/file-lock.ts',
    find: 'began !== undefined && began !== holder.began',
    replace: 'false',
    test: 'test/native/setup.test.ts',
    title: 'number of the one that died',
  },
  {
    name: 'what is there is downloaded under the lock',
    file: 'lib/weights/download.ts',
    find: 'if (early !== undefined) return early',
    replace: '',
    test: 'test/weights/download.test.ts',
    title: 'read-only',
  },
  {
    name: 'a refused allocation does not tell the lines',
    file: 'lib/native/frame.ts',
    find: 'native.liveSites?.()',
    replace: 'undefined',
    test: 'test/tensor/memory.test.ts',
    title: 'told in figures',
  },
  {
    name: 'weights are read to their end',
    file: 'lib/io/pth-read.ts',
    find: 'withRandomAccess(source, caller, read, signal)',
    replace: 'withRandomAccess(source, caller, read)',
    test: 'test/io/cancel.test.ts',
    title: 'loadPth',
  },
  {
    name: 'a full disk leaves a part of the new file',
    file: 'lib/native/atomic-file.ts',
    find: 'await rm(temporary, { force: true })',
    replace: '',
    test: 'test/io/disk-full.test.ts',
    title: 'leaves nothing',
  },
  {
    name: 'a client that left keeps its place in the queue',
    file: 'examples/serve/batcher.ts',
    find: 'if (place >= 0) this.#waiting.splice(place, 1)',
    replace: '',
    test: 'test/examples/serve.test.ts',
    title: 'whoever leaves',
  },
  {
    name: 'a padded batch gives the answer of its last place',
    file: 'examples/serve/classifier.ts',
    find: '.slice(0, images.length)',
    replace: '.slice(-images.length)',
    test: 'test/examples/serve.test.ts',
    title: 'answers every request',
  },
]
