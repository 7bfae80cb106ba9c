// Dense capsule routing. A block has some input capsules and 32 samples, lanes of its warps; the warps share the rows of
// the weights. Logits are linear in the capsules of the iterations before, b^t = ⟨Σ y^τ, û⟩, so every pass makes the votes
// anew in shared memory and nothing of their size is stored. Sums over blocks are made in a fixed order.
#include "cuda/capsule_routing.cuh"

namespace vision_native::cuda {

namespace {

constexpr int kBlock = kWarps * kCapsuleLanes;
/// Rows of a buffer in shared memory that threads read across samples are this long, so that they lie in other banks.
constexpr int kPadded = kCapsuleLanes + 1;

template <typename T, typename A>
struct Dense {
  int64_t samples, inputs, from, outputs, dims, blocks, chunks, iterations;
  bool detach;
  const T* input;
  const T* weight;
  const A* totals;
  const A* capsules;
  const A* pulls;
  A* parts;

  __host__ __device__ int64_t rows() const { return outputs * dims; }
  __device__ int64_t lanes() const { return blocks * rows() * kCapsuleLanes; }
  __device__ int64_t first(int64_t chunk) const { return chunk * inputs / chunks; }
};

/// Shared memory of a block.
template <typename A>
struct Shared {
  A* weights;    // [rows][from] of one input capsule
  A* input;      // [from][33]
  A* votes;      // [rows][33]
  A* couplings;  // [J][32]
  A* gammas;     // [J][32]
  A* agreement;  // [J][32]
  A* sums;       // [rows][32] of the forward and backward passes, [rows][from] of gradients of weights

  template <typename D>
  __device__ Shared(const D& dense, A* memory) {
    weights = memory;
    input = weights + dense.rows() * dense.from;
    votes = input + dense.from * kPadded;
    couplings = votes + dense.rows() * kPadded;
    gammas = couplings + dense.outputs * kCapsuleLanes;
    agreement = gammas + dense.outputs * kCapsuleLanes;
    sums = agreement + dense.outputs * kCapsuleLanes;
  }

  static int64_t count(int64_t rows, int64_t from, int64_t outputs) {
    const int64_t sums = rows * (from > kCapsuleLanes ? from : kCapsuleLanes);
    return rows * from + (from + rows) * kPadded + 3 * outputs * kCapsuleLanes + sums;
  }
};

template <typename T, typename A>
__device__ void load_weights(const Dense<T, A>& dense, int64_t i, const Shared<A>& shared) {
  const int64_t count = dense.rows() * dense.from;
  for (int64_t x = threadIdx.x; x < count; x += kBlock) shared.weights[x] = widened(dense.weight[i * count + x]);
}

template <typename T, typename A>
__device__ void load_input(const Dense<T, A>& dense, int64_t i, int64_t block, const Shared<A>& shared) {
  for (int64_t x = threadIdx.x; x < dense.from * kCapsuleLanes; x += kBlock) {
    const int64_t lane = x / dense.from, n = x % dense.from, sample = block * kCapsuleLanes + lane;
    shared.input[n * kPadded + lane] =
        sample < dense.samples ? widened(dense.input[(sample * dense.inputs + i) * dense.from + n]) : A(0);
  }
}

/// û of one input capsule and 32 samples; four rows of weights at a time, for each of which the input is read once.
template <typename T, typename A>
__device__ void vote(const Dense<T, A>& dense, const Shared<A>& shared, int lane, int warp) {
  constexpr int kRows = 4;
  const int64_t rows = dense.rows();
  for (int64_t first = warp * kRows; first < rows; first += kWarps * kRows) {
    A sums[kRows] = {};
    const int64_t left = rows - first;
    for (int64_t n = 0; n < dense.from; ++n) {
      const A value = shared.input[n * kPadded + lane];
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        if (r < left) sums[r] = fma(shared.weights[(first + r) * dense.from + n], value, sums[r]);
      }
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      if (r < left) shared.votes[(first + r) * kPadded + lane] = sums[r];
    }
  }
}

/// out[j] = ⟨capsules[j], û[j]⟩, `capsules` those of this block's samples.
template <typename T, typename A>
__device__ void agree(const Dense<T, A>& dense, const A* capsules, const Shared<A>& shared, A* out, int lane, int warp) {
  for (int64_t j = warp; j < dense.outputs; j += kWarps) {
    A sum = 0;
    for (int64_t n = 0; n < dense.dims; ++n) {
      const int64_t row = j * dense.dims + n;
      sum += capsules[row * kCapsuleLanes + lane] * shared.votes[row * kPadded + lane];
    }
    out[j * kCapsuleLanes + lane] = sum;
  }
}

/// Couplings of iteration t in shared memory, for all threads.
template <typename T, typename A>
__device__ void couple(const Dense<T, A>& dense, int64_t t, int64_t block, const Shared<A>& shared, int lane, int warp) {
  A* c = shared.couplings;
  if (t == 0) {
    for (int64_t j = warp; j < dense.outputs; j += kWarps) c[j * kCapsuleLanes + lane] = A(1) / static_cast<A>(dense.outputs);
    __syncthreads();
    return;
  }
  agree(dense, dense.totals + t * dense.lanes() + block * dense.rows() * kCapsuleLanes, shared, c, lane, warp);
  __syncthreads();
  A highest = c[lane], sum = 0;
  for (int64_t j = 1; j < dense.outputs; ++j) {
    const A logit = c[j * kCapsuleLanes + lane];
    highest = logit > highest ? logit : highest;
  }
  for (int64_t j = 0; j < dense.outputs; ++j) sum += exponential(c[j * kCapsuleLanes + lane] - highest);
  __syncthreads();  // all warps have read the logits
  for (int64_t j = warp; j < dense.outputs; j += kWarps) {
    const int64_t x = j * kCapsuleLanes + lane;
    c[x] = exponential(c[x] - highest) / sum;
  }
  __syncthreads();
}

/// Γ^t from Γ^{t+1}, both in `gammas`, with couplings of iteration t; for all threads.
template <typename T, typename A>
__device__ void renew_gamma(const Dense<T, A>& dense, int64_t t, int64_t block, const Shared<A>& shared, int lane, int warp) {
  agree(dense, dense.pulls + t * dense.lanes() + block * dense.rows() * kCapsuleLanes, shared, shared.agreement, lane, warp);
  __syncthreads();
  A mean = 0;
  for (int64_t j = 0; j < dense.outputs; ++j) {
    mean += shared.couplings[j * kCapsuleLanes + lane] * shared.agreement[j * kCapsuleLanes + lane];
  }
  for (int64_t j = warp; j < dense.outputs; j += kWarps) {
    const int64_t x = j * kCapsuleLanes + lane;
    const A before = t + 1 == dense.iterations ? A(0) : shared.gammas[x];
    shared.gammas[x] = before + shared.couplings[x] * (shared.agreement[x] - mean);
  }
  __syncthreads();
}

/// Σ_i c·û of iteration t, or Σ_i Γ^t·û where `kBackward`.
template <bool kBackward, typename T, typename A>
__global__ void __launch_bounds__(kBlock) dense_pass(Dense<T, A> dense, int64_t t) {
  extern __shared__ double memory[];
  const Shared<A> shared(dense, reinterpret_cast<A*>(memory));
  const int lane = static_cast<int>(threadIdx.x) % kCapsuleLanes, warp = static_cast<int>(threadIdx.x) / kCapsuleLanes;
  for (int64_t item = blockIdx.x; item < dense.chunks * dense.blocks; item += gridDim.x) {
    const int64_t chunk = item / dense.blocks, block = item % dense.blocks;
    for (int64_t row = warp; row < dense.rows(); row += kWarps) shared.sums[row * kCapsuleLanes + lane] = A(0);
    for (int64_t i = dense.first(chunk); i < dense.first(chunk + 1); ++i) {
      __syncthreads();  // the input capsule before has been used
      load_weights(dense, i, shared);
      load_input(dense, i, block, shared);
      __syncthreads();
      vote(dense, shared, lane, warp);
      __syncthreads();
      if constexpr (kBackward) {
        for (int64_t at = dense.iterations - 1; at >= t; --at) {
          couple(dense, at, block, shared, lane, warp);
          renew_gamma(dense, at, block, shared, lane, warp);
        }
      } else {
        couple(dense, t, block, shared, lane, warp);
      }
      const A* factors = kBackward ? shared.gammas : shared.couplings;
      for (int64_t row = warp; row < dense.rows(); row += kWarps) {
        shared.sums[row * kCapsuleLanes + lane] +=
            factors[row / dense.dims * kCapsuleLanes + lane] * shared.votes[row * kPadded + lane];
      }
    }
    // Each sum is one thread's own.
    A* part = dense.parts + chunk * dense.lanes() + block * dense.rows() * kCapsuleLanes;
    for (int64_t row = warp; row < dense.rows(); row += kWarps) {
      part[row * kCapsuleLanes + lane] = shared.sums[row * kCapsuleLanes + lane];
    }
  }
}

/// A block an input capsule: gradients of its weights, and of its values in all samples.
template <typename T, typename A>
__global__ void __launch_bounds__(kBlock) dense_finish(Dense<T, A> dense, T* input_grad, T* weight_grad) {
  extern __shared__ double memory[];
  const Shared<A> shared(dense, reinterpret_cast<A*>(memory));
  const int lane = static_cast<int>(threadIdx.x) % kCapsuleLanes, warp = static_cast<int>(threadIdx.x) / kCapsuleLanes;
  const int64_t rows = dense.rows(), last = dense.iterations - 1, first = dense.detach ? last : 0;
  for (int64_t i = blockIdx.x; i < dense.inputs; i += gridDim.x) {
    __syncthreads();  // the input capsule before has been used
    load_weights(dense, i, shared);
    for (int64_t x = threadIdx.x; x < rows * dense.from; x += kBlock) shared.sums[x] = A(0);
    for (int64_t block = 0; block < dense.blocks; ++block) {
      __syncthreads();
      load_input(dense, i, block, shared);
      __syncthreads();
      vote(dense, shared, lane, warp);
      __syncthreads();
      // dL/dû of this thread's rows, in global memory of the block's own until all iterations have used the votes.
      A* slopes = dense.parts + (blockIdx.x * rows) * kCapsuleLanes;
      const int64_t offset = block * rows * kCapsuleLanes;
      for (int64_t t = last; t >= first; --t) {
        couple(dense, t, block, shared, lane, warp);
        const A* h = dense.pulls + t * dense.lanes() + offset;
        const A* y = dense.capsules + t * dense.lanes() + offset;
        for (int64_t row = warp; row < rows; row += kWarps) {
          const int64_t x = row * kCapsuleLanes + lane, j = row / dense.dims * kCapsuleLanes + lane;
          A value = t == last ? A(0) : slopes[x];
          value += shared.couplings[j] * h[x];
          if (t < last) value += shared.gammas[j] * y[x];
          slopes[x] = value;
        }
        __syncthreads();  // Γ of the iteration after has been used
        if (t > first) renew_gamma(dense, t, block, shared, lane, warp);
      }
      for (int64_t row = warp; row < rows; row += kWarps) {
        shared.votes[row * kPadded + lane] = slopes[row * kCapsuleLanes + lane];
      }
      __syncthreads();
      for (int64_t x = threadIdx.x; x < rows * dense.from; x += kBlock) {
        const int64_t row = x / dense.from, n = x % dense.from;
        A sum = shared.sums[x];
        for (int k = 0; k < kCapsuleLanes; ++k) {
          sum = fma(shared.votes[row * kPadded + k], shared.input[n * kPadded + k], sum);
        }
        shared.sums[x] = sum;
      }
      const int64_t sample = block * kCapsuleLanes + lane;
      for (int64_t n = warp; n < dense.from && sample < dense.samples; n += kWarps) {
        A sum = 0;
        for (int64_t row = 0; row < rows; ++row) {
          sum = fma(shared.weights[row * dense.from + n], shared.votes[row * kPadded + lane], sum);
        }
        narrowed(sum, input_grad[(sample * dense.inputs + i) * dense.from + n]);
      }
    }
    // Each gradient of a weight is one thread's own.
    for (int64_t x = threadIdx.x; x < rows * dense.from; x += kBlock) {
      narrowed(shared.sums[x], weight_grad[i * rows * dense.from + x]);
    }
  }
}

/// out = Σ over the chunks, and the bias.
template <typename A>
__global__ void add_parts(const A* parts, int64_t count, int64_t chunks, int64_t rows, const A* bias, A* out) {
  VISION_NATIVE_PIXELS(x, count) {
    A sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += parts[chunk * count + x];
    if (bias != nullptr) sum += bias[x / kCapsuleLanes % rows];
    out[x] = sum;
  }
}

/// Capsules of an iteration from its sums, and the total that the next one's couplings are made of. A thread a capsule.
template <typename A>
__global__ void squash_sums(const A* sums, int64_t count, int64_t dims, A kappa, const A* total, A* capsules, A* next) {
  VISION_NATIVE_PIXELS(i, count) {
    const int64_t first = i / kCapsuleLanes * dims * kCapsuleLanes + i % kCapsuleLanes;
    A squared = 0;
    for (int64_t n = 0; n < dims; ++n) squared += sums[first + n * kCapsuleLanes] * sums[first + n * kCapsuleLanes];
    const SquashFactors<A> factors(squared, kappa);
    for (int64_t n = 0; n < dims; ++n) {
      const int64_t x = first + n * kCapsuleLanes;
      capsules[x] = factors.a * sums[x];
      if (next != nullptr) next[x] = (total != nullptr ? total[x] : A(0)) + capsules[x];
    }
  }
}

/// h = dL/ds from dL/dy, which may be the same memory.
template <typename A>
__global__ void pull_sums(const A* sums, const A* grad, int64_t count, int64_t dims, A kappa, A* pulls) {
  VISION_NATIVE_PIXELS(i, count) {
    const int64_t first = i / kCapsuleLanes * dims * kCapsuleLanes + i % kCapsuleLanes;
    A squared = 0, inner = 0;
    for (int64_t n = 0; n < dims; ++n) {
      const int64_t x = first + n * kCapsuleLanes;
      squared += sums[x] * sums[x];
      inner += sums[x] * grad[x];
    }
    const SquashFactors<A> factors(squared, kappa);
    for (int64_t n = 0; n < dims; ++n) {
      const int64_t x = first + n * kCapsuleLanes;
      pulls[x] = factors.a * grad[x] + factors.b * inner * sums[x];
    }
  }
}

template <typename T, typename A>
class Launcher {
 public:
  Launcher(const CapsuleDense& dense, cudaStream_t stream)
      : stream_(stream),
        kappa_(static_cast<A>(dense.kappa)),
        bias_(static_cast<const A*>(dense.bias)),
        totals_(static_cast<A*>(dense.totals)),
        capsules_(static_cast<A*>(dense.capsules)),
        pulls_(static_cast<A*>(dense.pulls)),
        sums_(static_cast<A*>(dense.sums)),
        dense_{dense.samples,  dense.inputs, dense.from,
               dense.outputs,  dense.dims,   dense.blocks,
               dense.chunks,   dense.iterations, dense.detach,
               static_cast<const T*>(dense.input), static_cast<const T*>(dense.weight), totals_,
               capsules_,      pulls_,       static_cast<A*>(dense.parts)} {
    lanes_ = dense.blocks * dense_.rows() * kCapsuleLanes;
    capsule_count_ = dense.blocks * dense.outputs * kCapsuleLanes;
    shared_ = sizeof(A) * static_cast<size_t>(Shared<A>::count(dense_.rows(), dense.from, dense.outputs));
    if (shared_ > most_shared()) {
      throw std::runtime_error("capsule_routing_dense: weights of one input capsule do not fit into shared memory; "
                               "route on the CPU, or fewer outputs");
    }
  }

  void forward() {
    allow_shared(dense_pass<false, T, A>, shared_);
    for (int64_t t = 0; t < dense_.iterations; ++t) {
      dense_pass<false, T, A><<<items(), kBlock, shared_, stream_>>>(dense_, t);
      check_launch("capsule_routing_dense");
      merge(bias_, sums_ + t * lanes_);
      squash(t);
    }
  }

  void backward(const A* grad, T* input_grad, T* weight_grad) {
    allow_shared(dense_pass<true, T, A>, shared_);
    allow_shared(dense_finish<T, A>, shared_);
    for (int64_t t = 0; t < dense_.iterations; ++t) squash(t);
    const int64_t last = dense_.iterations - 1, first = dense_.detach ? last : 0;
    pull(last, grad);
    for (int64_t t = last - 1; t >= first; --t) {
      dense_pass<true, T, A><<<items(), kBlock, shared_, stream_>>>(dense_, t + 1);
      check_launch("_capsule_routing_dense_backward");
      merge(nullptr, pulls_ + t * lanes_);
      pull(t, pulls_ + t * lanes_);
    }
    // The parts, of one block of samples for each block of threads here, hold as many as there are chunks and blocks.
    const int64_t most = dense_.chunks * dense_.blocks;
    const unsigned blocks = static_cast<unsigned>(std::min({dense_.inputs, most, kMostBlocksX}));
    dense_finish<T, A><<<blocks, kBlock, shared_, stream_>>>(dense_, input_grad, weight_grad);
    check_launch("_capsule_routing_dense_backward");
  }

 private:
  unsigned items() const { return static_cast<unsigned>(std::min(dense_.chunks * dense_.blocks, kMostBlocksX)); }

  void merge(const A* bias, A* out) {
    add_parts<A><<<blocks_for(lanes_), kThreads, 0, stream_>>>(dense_.parts, lanes_, dense_.chunks, dense_.rows(), bias, out);
    check_launch("capsule_routing_dense");
  }

  void squash(int64_t t) {
    squash_sums<A><<<blocks_for(capsule_count_), kThreads, 0, stream_>>>(
        sums_ + t * lanes_, capsule_count_, dense_.dims, kappa_, t > 0 ? totals_ + t * lanes_ : nullptr,
        capsules_ + t * lanes_, t + 1 < dense_.iterations ? totals_ + (t + 1) * lanes_ : nullptr);
    check_launch("capsule_routing_dense");
  }

  void pull(int64_t t, const A* grad) {
    pull_sums<A><<<blocks_for(capsule_count_), kThreads, 0, stream_>>>(sums_ + t * lanes_, grad, capsule_count_, dense_.dims,
                                                                      kappa_, pulls_ + t * lanes_);
    check_launch("_capsule_routing_dense_backward");
  }

  cudaStream_t stream_;
  A kappa_;
  const A* bias_;
  A* totals_;
  A* capsules_;
  A* pulls_;
  A* sums_;
  Dense<T, A> dense_;
  int64_t lanes_ = 0, capsule_count_ = 0;
  size_t shared_ = 0;
};

}  // namespace

void launch_capsule_dense(const CapsuleDense& dense, cudaStream_t stream) {
  with_element(dense.element, [&](auto element) {
    using T = decltype(element);
    Launcher<T, typename CapsuleSum<T>::Type>(dense, stream).forward();
  });
}

void launch_capsule_dense_backward(const CapsuleDense& dense, const void* grad, void* input_grad, void* weight_grad,
                                   cudaStream_t stream) {
  with_element(dense.element, [&](auto element) {
    using T = decltype(element);
    using A = typename CapsuleSum<T>::Type;
    Launcher<T, A>(dense, stream)
        .backward(static_cast<const A*>(grad), static_cast<T*>(input_grad), static_cast<T*>(weight_grad));
  });
}

}  // namespace vision_native::cuda
