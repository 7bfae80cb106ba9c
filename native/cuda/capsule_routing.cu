// Capsule routing over positions and output types. A block has one tile: 32 positions of one output type, lanes of its
// warps; the warps share the capsule dimensions, then the input types. The votes of a tile are read once for a pass and
// wait in shared memory. Between the passes, sums over all tiles are made in a fixed order, so results are the same every
// time. Memory is what bounds it: one pass over the votes for each iteration.
#include "cuda/capsule_routing.cuh"

namespace vision_native::cuda {

namespace {

template <typename A>
struct Couplings {
  const A* logits;      // [B, S, K, P]; null stands for equal shares
  const A* statistics;  // [B, 2, S]
  A uniform;
};

template <typename T, typename A>
struct Pass {
  int64_t batch, inputs, outputs, dims, positions, tiles;
  A kappa;
  const T* votes;
  const A* bias;
  bool kept;  // votes of a tile are in shared memory

  __device__ int64_t items() const { return outputs * tiles; }
};

/// The tile of a block, and the position of this thread's lane in it.
struct Place {
  int64_t sample, k, position;
  int lane, warp;
  bool active;
};

template <typename T, typename A>
__device__ Place place_of(const Pass<T, A>& pass, int64_t block) {
  const int lane = static_cast<int>(threadIdx.x) % kCapsuleLanes, warp = static_cast<int>(threadIdx.x) / kCapsuleLanes;
  const int64_t position = block % pass.tiles * kCapsuleLanes + lane;
  return {block / pass.tiles / pass.outputs, block / pass.tiles % pass.outputs, position, lane, warp,
          position < pass.positions};
}

template <typename T, typename A>
__device__ int64_t by_input(const Pass<T, A>& pass, const Place& at, int64_t s) {
  return ((at.sample * pass.inputs + s) * pass.outputs + at.k) * pass.positions + at.position;
}

template <typename T, typename A>
__device__ int64_t by_vote(const Pass<T, A>& pass, const Place& at, int64_t s, int64_t n) {
  return (((at.sample * pass.inputs + s) * pass.outputs + at.k) * pass.dims + n) * pass.positions + at.position;
}

template <typename T, typename A>
__device__ int64_t by_dim(const Pass<T, A>& pass, const Place& at, int64_t n) {
  return ((at.sample * pass.outputs + at.k) * pass.dims + n) * pass.positions + at.position;
}

/// The share of this lane, 0 outside the positions.
template <typename T, typename A>
__device__ A share(const Pass<T, A>& pass, const Couplings<A>& couplings, const Place& at, int64_t s) {
  if (!at.active) return A(0);
  if (couplings.logits == nullptr) return couplings.uniform;
  const A* statistics = couplings.statistics + at.sample * 2 * pass.inputs + s;
  return exponential(couplings.logits[by_input(pass, at, s)] - statistics[0]) * statistics[pass.inputs];
}

template <typename T, typename A>
__device__ A vote(const Pass<T, A>& pass, const Place& at, const A* kept, int64_t s, int64_t n) {
  if (pass.kept) return kept[(s * pass.dims + n) * kCapsuleLanes + at.lane];
  return at.active ? widened(pass.votes[by_vote(pass, at, s, n)]) : A(0);
}

/// phi[n] = β + Σ_s weights[s]·v and, where there are `others`, grad[n] = Σ_s others[s]·v. The first time the votes are
/// fetched and kept.
template <bool kFetch, typename T, typename A>
__device__ void combine(const Pass<T, A>& pass, const Place& at, const A* weights, const A* others, A* kept, A* phi,
                        A* grad) {
  for (int64_t n = at.warp; n < pass.dims; n += kWarps) {
    A sum = pass.bias != nullptr && at.active ? pass.bias[at.k * pass.dims + n] : A(0), other = 0;
#pragma unroll 8
    for (int64_t s = 0; s < pass.inputs; ++s) {
      A value;
      if constexpr (kFetch) {
        value = at.active ? widened(pass.votes[by_vote(pass, at, s, n)]) : A(0);
        if (pass.kept) kept[(s * pass.dims + n) * kCapsuleLanes + at.lane] = value;
      } else {
        value = vote(pass, at, kept, s, n);
      }
      sum += weights[s * kCapsuleLanes + at.lane] * value;
      if (others != nullptr) other += others[s * kCapsuleLanes + at.lane] * value;
    }
    phi[n * kCapsuleLanes + at.lane] = sum;
    if (others != nullptr) grad[n * kCapsuleLanes + at.lane] = other;
  }
}

template <typename A>
__device__ A inner_product(const A* a, const A* b, int64_t dims, int lane) {
  A sum = 0;
  for (int64_t n = 0; n < dims; ++n) sum += a[n * kCapsuleLanes + lane] * b[n * kCapsuleLanes + lane];
  return sum;
}

template <typename T, typename A>
__global__ void __launch_bounds__(kWarps* kCapsuleLanes)
    route_pass(Pass<T, A> pass, Couplings<A> couplings, A* next, A* parts, T* capsules, A* shares) {
  extern __shared__ double memory[];
  A* weights = reinterpret_cast<A*>(memory);
  A* phi = weights + pass.inputs * kCapsuleLanes;
  A* kept = phi + pass.dims * kCapsuleLanes;
  const int64_t blocks = pass.batch * pass.items();
  for (int64_t block = blockIdx.x; block < blocks; block += gridDim.x) {
    const Place at = place_of(pass, block);
    __syncthreads();  // the tile before has been used
    for (int64_t s = at.warp; s < pass.inputs; s += kWarps) {
      const A o = share(pass, couplings, at, s);
      weights[s * kCapsuleLanes + at.lane] = o;
      if (shares != nullptr && at.active) shares[by_input(pass, at, s)] = o;
    }
    __syncthreads();
    combine<true>(pass, at, weights, static_cast<const A*>(nullptr), kept, phi, phi);
    __syncthreads();
    const SquashFactors<A> factors(inner_product(phi, phi, pass.dims, at.lane), pass.kappa);
    if (capsules != nullptr) {
      for (int64_t n = at.warp; n < pass.dims; n += kWarps) {
        if (at.active) narrowed(factors.a * phi[n * kCapsuleLanes + at.lane], capsules[by_dim(pass, at, n)]);
      }
    }
    if (next == nullptr) continue;
    for (int64_t s = at.warp; s < pass.inputs; s += kWarps) {
      A logit = 0;
      for (int64_t n = 0; n < pass.dims; ++n) logit += phi[n * kCapsuleLanes + at.lane] * vote(pass, at, kept, s, n);
      logit *= factors.a;
      if (at.active && couplings.logits != nullptr) logit += couplings.logits[by_input(pass, at, s)];
      const A highest = warp_maximum(at.active ? logit : -A(INFINITY));
      const A sum = warp_sum(at.active ? exponential(logit - highest) : A(0));
      // A thread reads its own logit before it writes it, so old and new ones may be the same memory.
      if (at.active) next[by_input(pass, at, s)] = logit;
      if (at.lane == 0) {
        const int64_t row = at.sample * pass.inputs + s, item = block % pass.items();
        parts[row * pass.items() + item] = highest;
        parts[(pass.batch * pass.inputs + row) * pass.items() + item] = sum;
      }
    }
  }
}

/// Sum of a block's values in a fixed order; for all threads.
template <typename A>
__device__ A block_sum(A value, A* buffer) {
  value = warp_sum(value);
  __syncthreads();
  if (threadIdx.x % kCapsuleLanes == 0) buffer[threadIdx.x / kCapsuleLanes] = value;
  __syncthreads();
  A sum = 0;
  for (int i = 0; i < kWarps; ++i) sum += buffer[i];
  return sum;
}

/// A block a sample and input type: the largest logit, and 1/Σ exp(b − maximum).
template <typename A>
__global__ void merge_statistics(const A* parts, int64_t rows, int64_t items, int64_t inputs, A* statistics) {
  __shared__ A buffer[kWarps];
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const A* maxima = parts + row * items;
    const A* sums = parts + (rows + row) * items;
    A highest = -A(INFINITY);
    for (int64_t i = threadIdx.x; i < items; i += blockDim.x) highest = maxima[i] > highest ? maxima[i] : highest;
    highest = warp_maximum(highest);
    __syncthreads();
    if (threadIdx.x % kCapsuleLanes == 0) buffer[threadIdx.x / kCapsuleLanes] = highest;
    __syncthreads();
    for (int i = 0; i < kWarps; ++i) highest = buffer[i] > highest ? buffer[i] : highest;
    A sum = 0;
    for (int64_t i = threadIdx.x; i < items; i += blockDim.x) sum += sums[i] * exponential(maxima[i] - highest);
    sum = block_sum(sum, buffer);
    if (threadIdx.x == 0) {
      A* out = statistics + row / inputs * 2 * inputs + row % inputs;
      out[0] = highest;
      out[inputs] = A(1) / sum;
    }
  }
}

template <typename A>
__global__ void merge_means(const A* parts, int64_t rows, int64_t items, A* means) {
  __shared__ A buffer[kWarps];
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    A sum = 0;
    for (int64_t i = threadIdx.x; i < items; i += blockDim.x) sum += parts[row * items + i];
    sum = block_sum(sum, buffer);
    if (threadIdx.x == 0) means[row] = sum;
  }
}

template <typename A>
struct Backward {
  int64_t iterations;
  bool detach;
  const A* logits;      // [R − 1, B, S, K, P]
  const A* statistics;  // [R − 1, B, 2, S]
  const A* grad;        // [B, K, N, P]
  A* gammas;            // [R − 1, B, S, K, P]: c, and Γ after the next pass
  const A* means;       // [R, B, S]
  A* parts;             // [B·S, items]
  A* bias_parts;        // [B, K, N, tiles]
  A* sums;              // [B, S, K, N, P], or null where they are in shared memory
};

template <typename T, typename A>
__device__ Couplings<A> couplings_at(const Pass<T, A>& pass, const Backward<A>& backward, int64_t t) {
  const A uniform = A(1) / static_cast<A>(pass.positions * pass.outputs);
  if (t == 0) return {nullptr, nullptr, uniform};
  return {backward.logits + (t - 1) * pass.batch * pass.inputs * pass.outputs * pass.positions,
          backward.statistics + (t - 1) * pass.batch * 2 * pass.inputs, A(0)};
}

template <typename T, typename A>
__device__ A* gammas_at(const Pass<T, A>& pass, const Backward<A>& backward, int64_t t) {
  return backward.gammas + (t - 1) * pass.batch * pass.inputs * pass.outputs * pass.positions;
}

/// Γ^t = Γ^{t+1} + o^t·(c^t − Σ o·c) of this thread's places, also in global memory.
template <typename T, typename A>
__device__ A renew_gamma(const Pass<T, A>& pass, const Backward<A>& backward, const Place& at, int64_t t, int64_t s) {
  if (!at.active) return A(0);
  A* gamma = gammas_at(pass, backward, t) + by_input(pass, at, s);
  const A mean = backward.means[(t * pass.batch + at.sample) * pass.inputs + s];
  A value = share(pass, couplings_at(pass, backward, t), at, s) * (*gamma - mean);
  if (t + 1 < backward.iterations) value += gammas_at(pass, backward, t + 1)[by_input(pass, at, s)];
  *gamma = value;
  return value;
}

/// phi, grad → h = dL/dφ in `grad` and y in `phi`.
template <typename A>
__device__ void squash_gradient(int64_t dims, A kappa, const Place& at, A* phi, A* grad) {
  const SquashFactors<A> factors(inner_product(phi, phi, dims, at.lane), kappa);
  const A inner = inner_product(phi, grad, dims, at.lane) * factors.b;
  __syncthreads();  // all warps have their sums
  for (int64_t n = at.warp; n < dims; n += kWarps) {
    const int64_t x = n * kCapsuleLanes + at.lane;
    const A value = phi[x];
    grad[x] = factors.a * grad[x] + inner * value;
    phi[x] = factors.a * value;
  }
  __syncthreads();
}

template <typename T, typename A>
__device__ void load_grad(const Pass<T, A>& pass, const Backward<A>& backward, const Place& at, A* grad) {
  for (int64_t n = at.warp; n < pass.dims; n += kWarps) {
    grad[n * kCapsuleLanes + at.lane] = at.active ? backward.grad[by_dim(pass, at, n)] : A(0);
  }
}

/// c of iteration t, before the first.
template <typename T, typename A>
__global__ void __launch_bounds__(kWarps* kCapsuleLanes)
    backward_pass(Pass<T, A> pass, Backward<A> backward, int64_t t) {
  extern __shared__ double memory[];
  A* weights = reinterpret_cast<A*>(memory);
  A* gammas = weights + pass.inputs * kCapsuleLanes;
  A* phi = gammas + pass.inputs * kCapsuleLanes;
  A* grad = phi + pass.dims * kCapsuleLanes;
  A* kept = grad + pass.dims * kCapsuleLanes;
  const bool first = t + 1 == backward.iterations;
  const int64_t blocks = pass.batch * pass.items();
  for (int64_t block = blockIdx.x; block < blocks; block += gridDim.x) {
    const Place at = place_of(pass, block);
    __syncthreads();  // the tile before has been used
    for (int64_t s = at.warp; s < pass.inputs; s += kWarps) {
      weights[s * kCapsuleLanes + at.lane] = share(pass, couplings_at(pass, backward, t), at, s);
      if (!first) gammas[s * kCapsuleLanes + at.lane] = renew_gamma(pass, backward, at, t + 1, s);
    }
    __syncthreads();
    combine<true>(pass, at, weights, first ? nullptr : gammas, kept, phi, grad);
    if (first) load_grad(pass, backward, at, grad);
    __syncthreads();
    squash_gradient(pass.dims, pass.kappa, at, phi, grad);
    for (int64_t s = at.warp; s < pass.inputs; s += kWarps) {
      A c = 0;
      for (int64_t n = 0; n < pass.dims; ++n) c += grad[n * kCapsuleLanes + at.lane] * vote(pass, at, kept, s, n);
      if (at.active) gammas_at(pass, backward, t)[by_input(pass, at, s)] = c;
      const A sum = warp_sum(weights[s * kCapsuleLanes + at.lane] * c);
      if (at.lane == 0) backward.parts[(at.sample * pass.inputs + s) * pass.items() + block % pass.items()] = sum;
    }
  }
}

/// Σ_t o^t·h^t + Γ^{t+1}·y^t, each with all that it needs made again from the votes.
template <typename T, typename A>
__global__ void __launch_bounds__(kWarps* kCapsuleLanes) finish_pass(Pass<T, A> pass, Backward<A> backward, T* votes_grad) {
  extern __shared__ double memory[];
  A* weights = reinterpret_cast<A*>(memory);
  A* gammas = weights + pass.inputs * kCapsuleLanes;
  A* phi = gammas + pass.inputs * kCapsuleLanes;
  A* grad = phi + pass.dims * kCapsuleLanes;
  A* bias = grad + pass.dims * kCapsuleLanes;  // [N], each by the lane 0 of one warp
  A* kept = bias + pass.dims * kCapsuleLanes;
  A* sums = kept + (pass.kept ? pass.inputs * pass.dims * kCapsuleLanes : 0);
  const int64_t last = backward.iterations - 1, first = backward.detach ? last : 0;
  const int64_t blocks = pass.batch * pass.items();
  for (int64_t block = blockIdx.x; block < blocks; block += gridDim.x) {
    const Place at = place_of(pass, block);
    for (int64_t t = first; t <= last; ++t) {
      __syncthreads();  // the iteration or tile before has been used
      for (int64_t s = at.warp; s < pass.inputs; s += kWarps) {
        weights[s * kCapsuleLanes + at.lane] = share(pass, couplings_at(pass, backward, t), at, s);
        if (t == last) continue;
        // Γ of the first iteration that has one is still c; the others were made by the passes.
        const bool renew = t == first;
        A* stored = gammas_at(pass, backward, t + 1);
        gammas[s * kCapsuleLanes + at.lane] = renew       ? renew_gamma(pass, backward, at, t + 1, s)
                                              : at.active ? stored[by_input(pass, at, s)]
                                                          : A(0);
      }
      __syncthreads();
      const A* others = t == last ? nullptr : gammas;
      if (t == first) {
        combine<true>(pass, at, weights, others, kept, phi, grad);
      } else {
        combine<false>(pass, at, weights, others, kept, phi, grad);
      }
      if (t == last) load_grad(pass, backward, at, grad);
      __syncthreads();
      squash_gradient(pass.dims, pass.kappa, at, phi, grad);
      for (int64_t n = at.warp; n < pass.dims; n += kWarps) {
        const int64_t x = n * kCapsuleLanes + at.lane;
        const A h = grad[x], y = phi[x];
        const A total = warp_sum(at.active ? h : A(0));
        if (at.lane == 0) bias[n] = t == first ? total : bias[n] + total;
        if (!at.active) continue;
        for (int64_t s = 0; s < pass.inputs; ++s) {
          // Each sum is one thread's own, wherever it lies.
          A& sum = backward.sums == nullptr ? sums[(s * pass.dims + n) * kCapsuleLanes + at.lane]
                                            : backward.sums[by_vote(pass, at, s, n)];
          A value = t == first ? A(0) : sum;
          value += weights[s * kCapsuleLanes + at.lane] * h;
          if (t < last) value += gammas[s * kCapsuleLanes + at.lane] * y;
          if (t == last) {
            narrowed(value, votes_grad[by_vote(pass, at, s, n)]);
          } else {
            sum = value;
          }
        }
      }
    }
    for (int64_t n = at.warp; n < pass.dims; n += kWarps) {
      if (at.lane != 0) continue;
      backward.bias_parts[((at.sample * pass.outputs + at.k) * pass.dims + n) * pass.tiles + block % pass.tiles] = bias[n];
    }
  }
}

/// A thread a capsule; neighbouring threads have neighbouring inner indices.
template <typename T, typename A>
__global__ void squash_rows(const T* input, const T* grad, T* out, int64_t count, int64_t dims, int64_t inner, A kappa) {
  VISION_NATIVE_PIXELS(i, count) {
    const int64_t start = i / inner * dims * inner + i % inner;
    A squared = 0, product = 0;
    for (int64_t n = 0; n < dims; ++n) {
      const A value = widened(input[start + n * inner]);
      squared += value * value;
      if (grad != nullptr) product += value * widened(grad[start + n * inner]);
    }
    const SquashFactors<A> factors(squared, kappa);
    for (int64_t n = 0; n < dims; ++n) {
      const int64_t x = start + n * inner;
      const A value = widened(input[x]);
      narrowed(grad != nullptr ? factors.a * widened(grad[x]) + factors.b * product * value : factors.a * value, out[x]);
    }
  }
}

constexpr int kBlock = kWarps * kCapsuleLanes;

unsigned blocks_of(int64_t count) { return static_cast<unsigned>(std::min(count, kMostBlocksX)); }

/// Rows of 32 of the sums' type that a kernel has beside the votes.
size_t row_bytes(const CapsuleRoute& route, int64_t rows) {
  const size_t element = route.element == CapsuleElement::kDouble ? sizeof(double) : sizeof(float);
  return static_cast<size_t>(rows) * kCapsuleLanes * element;
}

template <typename T, typename A>
Pass<T, A> pass_of(const CapsuleRoute& route, bool kept) {
  return {route.batch, route.inputs,
          route.outputs, route.dims,
          route.positions, route.tiles,
          static_cast<A>(route.kappa), static_cast<const T*>(route.votes),
          static_cast<const A*>(route.bias), kept};
}

template <typename T>
void route_as(const CapsuleRoute& route, cudaStream_t stream) {
  using A = typename CapsuleSum<T>::Type;
  const int64_t rows = route.inputs + route.dims, votes = route.inputs * route.dims;
  const bool kept = row_bytes(route, rows + votes) <= most_shared();
  const size_t shared = row_bytes(route, rows + (kept ? votes : 0));
  allow_shared(route_pass<T, A>, shared);
  const Pass<T, A> pass = pass_of<T, A>(route, kept);
  const int64_t items = route.outputs * route.tiles, sums = route.batch * route.inputs;
  const int64_t step = route.keeps ? sums * route.outputs * route.positions : 0;
  A* logits = static_cast<A*>(route.logits);
  A* statistics = static_cast<A*>(route.statistics);
  for (int64_t t = 0; t < route.iterations; ++t) {
    const bool ends = t + 1 == route.iterations;
    Couplings<A> couplings{nullptr, nullptr, A(1) / static_cast<A>(route.positions * route.outputs)};
    if (t > 0) couplings = {logits + (t - 1) * step, statistics + (t - 1) * 2 * sums, A(0)};
    route_pass<T, A><<<blocks_of(route.batch * items), kBlock, shared, stream>>>(
        pass, couplings, ends ? nullptr : logits + t * step, static_cast<A*>(route.parts),
        ends ? static_cast<T*>(route.capsules) : nullptr, ends ? static_cast<A*>(route.couplings) : nullptr);
    check_launch("capsule_routing");
    if (ends || sums == 0) continue;
    merge_statistics<A><<<blocks_of(sums), kBlock, 0, stream>>>(static_cast<const A*>(route.parts), sums, items,
                                                               route.inputs, statistics + t * 2 * sums);
    check_launch("capsule_routing");
  }
}

template <typename T>
void backward_as(const CapsuleRoute& route, const CapsuleRouteBackward& given, cudaStream_t stream) {
  using A = typename CapsuleSum<T>::Type;
  const int64_t votes = route.inputs * route.dims, rows = 2 * (route.inputs + route.dims);
  const bool fits = given.sums == nullptr;
  const bool kept = fits || row_bytes(route, rows + votes) <= most_shared();
  const size_t shared = row_bytes(route, rows + (kept ? votes : 0));
  const bool finish_kept = fits || row_bytes(route, rows + route.dims + votes) <= most_shared();
  const size_t finish_shared = row_bytes(route, rows + route.dims + (finish_kept ? votes : 0) + (fits ? votes : 0));
  allow_shared(backward_pass<T, A>, shared);
  allow_shared(finish_pass<T, A>, finish_shared);
  const int64_t items = route.outputs * route.tiles, sums = route.batch * route.inputs;
  A* means = static_cast<A*>(given.means);
  const Backward<A> backward{route.iterations, given.detach,
                             static_cast<const A*>(route.logits), static_cast<const A*>(route.statistics),
                             static_cast<const A*>(given.grad), static_cast<A*>(given.gammas),
                             means, static_cast<A*>(route.parts),
                             static_cast<A*>(given.bias_parts), static_cast<A*>(given.sums)};
  for (int64_t t = route.iterations - 1; t > 0 && !given.detach; --t) {
    backward_pass<T, A><<<blocks_of(route.batch * items), kBlock, shared, stream>>>(pass_of<T, A>(route, kept), backward, t);
    check_launch("_capsule_routing_backward");
    if (sums == 0) continue;
    merge_means<A><<<blocks_of(sums), kBlock, 0, stream>>>(static_cast<const A*>(route.parts), sums, items,
                                                          means + t * sums);
    check_launch("_capsule_routing_backward");
  }
  finish_pass<T, A><<<blocks_of(route.batch * items), kBlock, finish_shared, stream>>>(
      pass_of<T, A>(route, finish_kept), backward, static_cast<T*>(given.votes_grad));
  check_launch("_capsule_routing_backward");
}

}  // namespace

void launch_capsule_route(const CapsuleRoute& route, cudaStream_t stream) {
  with_element(route.element, [&](auto element) { route_as<decltype(element)>(route, stream); });
}

bool capsule_tile_fits(const CapsuleRoute& route) {
  const int64_t rows = 2 * route.inputs + 3 * route.dims + 2 * route.inputs * route.dims;
  return row_bytes(route, rows) <= most_shared();
}

void launch_capsule_route_backward(const CapsuleRoute& route, const CapsuleRouteBackward& backward, cudaStream_t stream) {
  with_element(route.element, [&](auto element) { backward_as<decltype(element)>(route, backward, stream); });
}

void launch_squash(CapsuleElement element, const void* input, const void* grad, void* out, int64_t outer, int64_t dims,
                   int64_t inner, double kappa, cudaStream_t stream) {
  const int64_t count = outer * inner;
  if (count == 0 || dims == 0) return;
  with_element(element, [&](auto zero) {
    using T = decltype(zero);
    using A = typename CapsuleSum<T>::Type;
    squash_rows<T, A><<<blocks_for(count), kThreads, 0, stream>>>(static_cast<const T*>(input),
                                                                 static_cast<const T*>(grad), static_cast<T*>(out), count,
                                                                 dims, inner, static_cast<A>(kappa));
  });
  check_launch("squash");
}

}  // namespace vision_native::cuda
