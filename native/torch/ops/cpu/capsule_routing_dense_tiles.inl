// Body of the functions of dense routing; included by one file for each instruction set, which names the tables
// (CAPSULE_DENSE_TILES). Sums have a fixed order; where the instruction set has fused multiply-adds they are used.
// Vectors never leave a function of this file, so how they would be passed does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"
#include "torch/ops/cpu/capsule_routing_math.inl"

namespace vision_native {
namespace {

template <typename A>
struct DenseTile {
  using Pass = CapsuleDense<A>;
  static constexpr int kVector = 8;
  typedef A Vector __attribute__((vector_size(kVector * sizeof(A))));
  typedef A Loose __attribute__((vector_size(kVector * sizeof(A)), aligned(sizeof(A)), may_alias));
  static constexpr int kLanes = static_cast<int>(kCapsuleLanes);
  static constexpr int kVectors = kLanes / kVector;
  /// Input capsules that go through all samples before the next ones: their weights stay in the second cache, and what
  /// belongs to a block of samples in the first.
  static constexpr int64_t kGroup = 8;

  static Vector load(const A* from) { return *reinterpret_cast<const Loose*>(from); }
  static void store(Vector values, A* to) { *reinterpret_cast<Loose*>(to) = values; }
  static int64_t padded(int64_t count) { return (count + kVector - 1) / kVector * kVector; }

  /// Memory of one call.
  struct Scratch {
    A* weights;       // [kGroup][rows][from], unless they are read where they lie
    A* weight_grads;  // [kGroup][rows][padded from]
    A* rows;          // [16][padded from], a sample a row
    A* input;         // [padded from][16]
    A* votes;         // [rows][16], later their gradient
    A* couplings;     // [iteration][J][16]
    A* gammas;        // [iteration][J][16]
    A* agreement;     // [J][16]
    int64_t used;

    Scratch(const CapsuleDenseSizes& sizes, int64_t iterations, A* memory) : used(0) {
      const auto take = [&](int64_t count) {
        A* taken = memory + used;
        used += (count + kLanes - 1) / kLanes * kLanes;
        return taken;
      };
      weights = take(kGroup * sizes.rows() * sizes.from);
      weight_grads = take(kGroup * sizes.rows() * padded(sizes.from));
      rows = take(kLanes * padded(sizes.from));
      input = take(kLanes * padded(sizes.from));
      votes = take(kLanes * sizes.rows());
      couplings = take(iterations * kLanes * sizes.outputs);
      gammas = take((iterations + 1) * kLanes * sizes.outputs);
      agreement = take(kLanes * sizes.outputs);
    }
  };

  static int64_t scratch(const CapsuleDenseSizes& sizes, int64_t iterations) {
    return Scratch(sizes, iterations, nullptr).used;
  }

  // ---- Input ----------------------------------------------------------------------------------------------------

  /// Eight rows to eight columns.
  static void transpose(const A* from, int64_t step, A* to) {
    Vector r[8], s[8];
    for (int i = 0; i < 8; ++i) r[i] = load(from + i * step);
    for (int i = 0; i < 4; ++i) {
      s[2 * i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
      s[2 * i + 1] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
      for (int half = 0; half < 2; ++half) {
        r[i + 2 * half] = __builtin_shufflevector(s[i + half], s[i + 2 + half], 0, 1, 8, 9, 4, 5, 12, 13);
        r[i + 2 * half + 1] = __builtin_shufflevector(s[i + half], s[i + 2 + half], 2, 3, 10, 11, 6, 7, 14, 15);
      }
    }
    for (int i = 0; i < 4; ++i) {
      store(__builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11), to + i * kLanes);
      store(__builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15), to + (i + 4) * kLanes);
    }
  }

  /// One input capsule of sixteen samples, as rows and as columns.
  template <typename T>
  static void load_input(const Pass& pass, int64_t i, int64_t block, const Scratch& memory) {
    const CapsuleDenseSizes& sizes = pass.sizes;
    const int64_t width = padded(sizes.from);
    const int64_t left = sizes.samples - block * kLanes;
    const T* data = static_cast<const T*>(pass.input) + block * kLanes * pass.sample_stride + i * pass.input_stride;
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      A* __restrict row = memory.rows + lane * width;
      const T* __restrict values = data + lane * pass.sample_stride;
      const int64_t count = lane < left ? sizes.from : 0;
      for (int64_t n = 0; n < count; ++n) row[n] = static_cast<A>(widen(values[n]));
      for (int64_t n = count; n < width; ++n) row[n] = A(0);
    }
    for (int64_t lane = 0; lane < kLanes; lane += 8) {
      for (int64_t n = 0; n < width; n += 8) {
        transpose(memory.rows + lane * width + n, width, memory.input + n * kLanes + lane);
      }
    }
  }

  template <typename T>
  static const A* load_weights(const Pass& pass, int64_t first, int64_t count, const Scratch& memory) {
    const int64_t each = pass.sizes.rows() * pass.sizes.from;
    const T* data = static_cast<const T*>(pass.weight) + first * each;
    if constexpr (std::is_same_v<T, A>) {
      return data;
    } else {
      for (int64_t x = 0; x < count * each; ++x) memory.weights[x] = static_cast<A>(widen(data[x]));
      return memory.weights;
    }
  }

  // ---- Sums -----------------------------------------------------------------------------------------------------

  /// out[r] = Σ_c matrix[r·row_step + c·column_step]·columns[c], and the old `out` where `kAdd`; of sixteen samples.
  template <bool kAdd>
  static void multiply(const A* matrix, int64_t row_step, int64_t column_step, int64_t rows, int64_t columns,
                       const A* __restrict values, A* __restrict out) {
    constexpr int kRows = 4;
    int64_t r = 0;
    for (; r + kRows <= rows; r += kRows) multiply_rows<kRows, kAdd>(matrix + r * row_step, row_step, column_step, columns, values, out + r * kLanes);
    for (; r < rows; ++r) multiply_rows<1, kAdd>(matrix + r * row_step, row_step, column_step, columns, values, out + r * kLanes);
  }

  template <int kRows, bool kAdd>
  static inline __attribute__((always_inline)) void multiply_rows(const A* __restrict matrix, int64_t row_step,
                                                                  int64_t column_step, int64_t columns,
                                                                  const A* __restrict values, A* __restrict out) {
    Vector sums[kRows][kVectors];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[r][v] = kAdd ? load(out + r * kLanes + v * kVector) : Vector{};
    }
    for (int64_t c = 0; c < columns; ++c) {
      const Vector low = load(values), high = load(values + kVector);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const Vector factor = matrix[r * row_step] - Vector{};
        sums[r][0] += factor * low;
        sums[r][1] += factor * high;
      }
      matrix += column_step;
      values += kLanes;
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) store(sums[r][v], out + r * kLanes + v * kVector);
    }
  }

  /// out[r][n] += Σ_lane left[r][lane]·rows[lane][n]
  static void add_outer(const A* left, const A* rows, int64_t count, int64_t width, A* out) {
    constexpr int kRows = 4;
    int64_t r = 0;
    for (; r + kRows <= count; r += kRows) {
      for (int64_t n = 0; n < width; n += kVector) outer_rows<kRows>(left + r * kLanes, rows + n, width, out + r * width + n);
    }
    for (; r < count; ++r) {
      for (int64_t n = 0; n < width; n += kVector) outer_rows<1>(left + r * kLanes, rows + n, width, out + r * width + n);
    }
  }

  template <int kRows>
  static inline __attribute__((always_inline)) void outer_rows(const A* __restrict left, const A* __restrict rows,
                                                               int64_t width, A* __restrict out) {
    Vector sums[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) sums[r] = load(out + r * width);
    for (int lane = 0; lane < kLanes; ++lane) {
      const Vector row = load(rows + lane * width);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) sums[r] += (left[r * kLanes + lane] - Vector{}) * row;
    }
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) store(sums[r], out + r * width);
  }

  /// out[j] = Σ_n a[j][n]·b[j][n], of sixteen samples.
  static void dot(const A* __restrict a, const A* __restrict b, const CapsuleDenseSizes& sizes, A* __restrict out) {
    for (int64_t j = 0; j < sizes.outputs; ++j) {
      Vector low = {}, high = {};
      for (int64_t n = 0; n < sizes.dims; ++n, a += kLanes, b += kLanes) {
        low += load(a) * load(b);
        high += load(a + kVector) * load(b + kVector);
      }
      store(low, out + j * kLanes);
      store(high, out + j * kLanes + kVector);
    }
  }

  /// out[j][n] += factors[j]·values[j][n]
  template <bool kAdd>
  static void spread(const A* __restrict factors, const A* __restrict values, const CapsuleDenseSizes& sizes,
                     A* __restrict out) {
    for (int64_t j = 0; j < sizes.outputs; ++j) {
      const Vector low = load(factors + j * kLanes), high = load(factors + j * kLanes + kVector);
      for (int64_t n = 0; n < sizes.dims; ++n, values += kLanes, out += kLanes) {
        const Vector a = low * load(values), b = high * load(values + kVector);
        store(kAdd ? load(out) + a : a, out);
        store(kAdd ? load(out + kVector) + b : b, out + kVector);
      }
    }
  }

  /// Couplings of iteration t of one input capsule: softmax over the outputs of ⟨Σ of capsules before, û⟩.
  static void couple(const Pass& pass, int64_t t, int64_t block, const A* votes, A* __restrict couplings) {
    const CapsuleDenseSizes& sizes = pass.sizes;
    const int64_t count = sizes.outputs * kLanes;
    if (t == 0) {
      const A uniform = A(1) / static_cast<A>(sizes.outputs);
      for (int64_t x = 0; x < count; ++x) couplings[x] = uniform;
      return;
    }
    dot(pass.totals[t] + block * sizes.rows() * kLanes, votes, sizes, couplings);
    A highest[kLanes], sum[kLanes] = {};
    for (int lane = 0; lane < kLanes; ++lane) highest[lane] = couplings[lane];
    for (int64_t j = 1; j < sizes.outputs; ++j) {
      const A* __restrict b = couplings + j * kLanes;
      for (int lane = 0; lane < kLanes; ++lane) highest[lane] = b[lane] > highest[lane] ? b[lane] : highest[lane];
    }
    for (int64_t j = 0; j < sizes.outputs; ++j) {
      A* __restrict b = couplings + j * kLanes;
      for (int lane = 0; lane < kLanes; ++lane) {
        b[lane] = exp_below_zero(b[lane] - highest[lane]);
        sum[lane] += b[lane];
      }
    }
    for (int lane = 0; lane < kLanes; ++lane) sum[lane] = A(1) / sum[lane];
    for (int64_t j = 0; j < sizes.outputs; ++j) {
      for (int lane = 0; lane < kLanes; ++lane) couplings[j * kLanes + lane] *= sum[lane];
    }
  }

  /// Couplings and Γ of the iterations from the last down to t; Γ of the iteration after the last is 0.
  static void unroll(const Pass& pass, int64_t t, int64_t last_gamma, int64_t block, const Scratch& memory) {
    const CapsuleDenseSizes& sizes = pass.sizes;
    const int64_t count = sizes.outputs * kLanes, offset = block * sizes.rows() * kLanes;
    A* after = memory.gammas + pass.iterations * count;
    for (int64_t x = 0; x < count; ++x) after[x] = A(0);
    for (int64_t at = pass.iterations - 1; at >= t; --at) {
      A* __restrict c = memory.couplings + at * count;
      couple(pass, at, block, memory.votes, c);
      if (at < last_gamma) continue;
      A* __restrict e = memory.agreement;
      dot(pass.pulls[at] + offset, memory.votes, sizes, e);
      A mean[kLanes] = {};
      for (int64_t j = 0; j < sizes.outputs; ++j) {
        for (int lane = 0; lane < kLanes; ++lane) mean[lane] += c[j * kLanes + lane] * e[j * kLanes + lane];
      }
      A* __restrict gamma = memory.gammas + at * count;
      for (int64_t j = 0; j < sizes.outputs; ++j) {
        for (int lane = 0; lane < kLanes; ++lane) {
          const int64_t x = j * kLanes + lane;
          gamma[x] = gamma[x + count] + c[x] * (e[x] - mean[lane]);
        }
      }
    }
  }

  // ---- Passes ---------------------------------------------------------------------------------------------------

  /// Calls `body(i, block, weights of i, place of i in the group)` for all input capsules of a chunk and all samples.
  template <typename T, typename Begin, typename Body, typename End>
  static void for_votes(const Pass& pass, int64_t chunk, const Scratch& memory, const Begin& begin, const Body& body,
                        const End& end) {
    const CapsuleDenseSizes& sizes = pass.sizes;
    const int64_t stop = sizes.first(chunk + 1), each = sizes.rows() * sizes.from;
    for (int64_t first = sizes.first(chunk); first < stop; first += kGroup) {
      const int64_t count = stop - first < kGroup ? stop - first : kGroup;
      const A* weights = load_weights<T>(pass, first, count, memory);
      begin(count);
      for (int64_t block = 0; block < sizes.blocks; ++block) {
        for (int64_t i = 0; i < count; ++i) {
          load_input<T>(pass, first + i, block, memory);
          body(first + i, block, weights + i * each, i);
        }
      }
      end(first, count);
    }
  }

  static void vote(const Pass& pass, const A* weights, const Scratch& memory) {
    const CapsuleDenseSizes& sizes = pass.sizes;
    multiply<false>(weights, sizes.from, 1, sizes.rows(), sizes.from, memory.input, memory.votes);
  }

  static void clear(A* values, int64_t count) {
    for (int64_t x = 0; x < count; ++x) values[x] = A(0);
  }

  static void forward(const Pass& pass, int64_t chunk, A* block_of_memory) {
    const CapsuleDenseSizes& sizes = pass.sizes;
    const Scratch memory(sizes, pass.iterations, block_of_memory);
    A* parts = pass.parts + chunk * sizes.lanes();
    clear(parts, sizes.lanes());
    const auto nothing = [](auto...) {};
    with_type<A>(pass.type, [&](auto element) {
      for_votes<decltype(element)>(
          pass, chunk, memory, nothing,
          [&](int64_t, int64_t block, const A* weights, int64_t) {
            A* sums = parts + block * sizes.rows() * kLanes;
            if (pass.iteration == 0) {
              multiply<true>(weights, sizes.from, 1, sizes.rows(), sizes.from, memory.input, sums);
              return;
            }
            vote(pass, weights, memory);
            couple(pass, pass.iteration, block, memory.votes, memory.couplings);
            spread<true>(memory.couplings, memory.votes, sizes, sums);
          },
          nothing);
    });
  }

  static void backward(const Pass& pass, int64_t chunk, A* block_of_memory) {
    const CapsuleDenseSizes& sizes = pass.sizes;
    const Scratch memory(sizes, pass.iterations, block_of_memory);
    A* parts = pass.parts + chunk * sizes.lanes();
    clear(parts, sizes.lanes());
    const auto nothing = [](auto...) {};
    with_type<A>(pass.type, [&](auto element) {
      for_votes<decltype(element)>(
          pass, chunk, memory, nothing,
          [&](int64_t, int64_t block, const A* weights, int64_t) {
            vote(pass, weights, memory);
            unroll(pass, pass.iteration, pass.iteration, block, memory);
            spread<true>(memory.gammas + pass.iteration * sizes.outputs * kLanes, memory.votes, sizes,
                         parts + block * sizes.rows() * kLanes);
          },
          nothing);
    });
  }

  /// dL/dû = Σ_t c^t·h^t + Γ^{t+1}·y^t, in the place of the votes.
  static void differentiate(const Pass& pass, int64_t block, const Scratch& memory) {
    const CapsuleDenseSizes& sizes = pass.sizes;
    const int64_t count = sizes.outputs * kLanes, offset = block * sizes.rows() * kLanes;
    const int64_t last = pass.iterations - 1, first = pass.detach ? last : 0;
    unroll(pass, first, pass.detach ? pass.iterations : 1, block, memory);
    spread<false>(memory.couplings + last * count, pass.pulls[last] + offset, sizes, memory.votes);
    for (int64_t t = last - 1; t >= first; --t) {
      spread<true>(memory.couplings + t * count, pass.pulls[t] + offset, sizes, memory.votes);
      spread<true>(memory.gammas + (t + 1) * count, pass.capsules[t] + offset, sizes, memory.votes);
    }
  }

  static void finish(const Pass& pass, int64_t chunk, A* block_of_memory) {
    const CapsuleDenseSizes& sizes = pass.sizes;
    const Scratch memory(sizes, pass.iterations, block_of_memory);
    const int64_t rows = sizes.rows(), width = padded(sizes.from);
    with_type<A>(pass.type, [&](auto element) {
      using T = decltype(element);
      for_votes<T>(
          pass, chunk, memory, [&](int64_t count) { clear(memory.weight_grads, count * rows * width); },
          [&](int64_t i, int64_t block, const A* weights, int64_t place) {
            vote(pass, weights, memory);
            differentiate(pass, block, memory);
            add_outer(memory.votes, memory.rows, rows, width, memory.weight_grads + place * rows * width);
            multiply<false>(weights, 1, sizes.from, sizes.from, rows, memory.votes, memory.input);
            const int64_t left = sizes.samples - block * kLanes;
            for (int64_t lane = 0; lane < (left < kLanes ? left : kLanes); ++lane) {
              T* out = static_cast<T*>(pass.input_grad) + ((block * kLanes + lane) * sizes.inputs + i) * sizes.from;
              for (int64_t n = 0; n < sizes.from; ++n) narrow(memory.input[n * kLanes + lane], out[n]);
            }
          },
          [&](int64_t first, int64_t count) {
            T* out = static_cast<T*>(pass.weight_grad) + first * rows * sizes.from;
            for (int64_t row = 0; row < count * rows; ++row) {
              for (int64_t n = 0; n < sizes.from; ++n) narrow(memory.weight_grads[row * width + n], out[row * sizes.from + n]);
            }
          });
    });
  }

  static constexpr CapsuleDenseTiles<A> table() { return {scratch, forward, backward, finish}; }
};

}  // namespace

const CapsuleDenseTables CAPSULE_DENSE_TILES{DenseTile<float>::table(), DenseTile<double>::table()};

}  // namespace vision_native
