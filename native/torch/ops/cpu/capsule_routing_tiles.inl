// Body of the tile functions; included by one file for each instruction set, which names the tables
// (CAPSULE_TILES) and the width of its registers (CAPSULE_VECTOR_BYTES).
// Sums have a fixed order and nothing is contracted, so all instruction sets give the same bits.
#include "torch/ops/cpu/capsule_routing_math.inl"

namespace vision_native {
namespace {

// ---- Rows -------------------------------------------------------------------------------------------------------

/// Calls `visit` with the runs of positions that lie in one row: (offset of the first, place in the tile, count).
template <typename Visit>
inline void for_runs(const CapsuleView& view, int64_t width, int64_t start, int64_t count, const Visit& visit) {
  if (view.row_stride == width * view.column_stride) {
    visit(start * view.column_stride, int64_t{0}, count);
    return;
  }
  for (int64_t place = 0; place < count;) {
    const int64_t y = (start + place) / width;
    const int64_t x = (start + place) % width;
    const int64_t run = width - x < count - place ? width - x : count - place;
    visit(y * view.row_stride + x * view.column_stride, place, run);
    place += run;
  }
}

inline bool is_row(const CapsuleView& view, int64_t width) {
  return view.column_stride == 1 && view.row_stride == width;
}

/// `count` values into `tile` places.
template <typename T, typename A>
inline void load_row(const CapsuleView& view, int64_t offset, const CapsuleSizes& sizes, int64_t start, int64_t count,
                     A* __restrict out) {
  const T* data = static_cast<const T*>(view.data) + offset;
  for_runs(view, sizes.width, start, count, [&](int64_t at, int64_t place, int64_t run) {
    if (view.column_stride == 1) {
      for (int64_t x = 0; x < run; ++x) out[place + x] = static_cast<A>(widen(data[at + x]));
    } else {
      for (int64_t x = 0; x < run; ++x) out[place + x] = static_cast<A>(widen(data[at + x * view.column_stride]));
    }
  });
  for (int64_t x = count; x < sizes.tile; ++x) out[x] = A(0);
}

template <typename T, typename A>
inline void store_row(const CapsuleView& view, int64_t offset, const CapsuleSizes& sizes, int64_t start, int64_t count,
                      const A* __restrict in) {
  T* data = static_cast<T*>(view.data) + offset;
  for_runs(view, sizes.width, start, count, [&](int64_t at, int64_t place, int64_t run) {
    if (view.column_stride == 1) {
      for (int64_t x = 0; x < run; ++x) narrow(in[place + x], data[at + x]);
    } else {
      for (int64_t x = 0; x < run; ++x) narrow(in[place + x], data[at + x * view.column_stride]);
    }
  });
}

// ---- Arithmetic -------------------------------------------------------------------------------------------------

/// Eight partial sums, whatever the width of the registers.
template <typename A>
inline A sum_of(const A* __restrict values, int64_t count) {
  A lanes[8] = {};
  for (int64_t x = 0; x < count; x += 8) {
    for (int lane = 0; lane < 8; ++lane) lanes[lane] += values[x + lane];
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

template <typename A>
inline A highest_of(const A* __restrict values, int64_t count) {
  A lanes[8];
  for (int lane = 0; lane < 8; ++lane) lanes[lane] = values[lane];
  for (int64_t x = 8; x < count; x += 8) {
    for (int lane = 0; lane < 8; ++lane) lanes[lane] = values[x + lane] > lanes[lane] ? values[x + lane] : lanes[lane];
  }
  for (int lane = 1; lane < 8; ++lane) lanes[0] = lanes[lane] > lanes[0] ? lanes[lane] : lanes[0];
  return lanes[0];
}

/// A register of neighbouring places, and the same at any address.
template <typename A>
struct Lanes {
  typedef A Vector __attribute__((vector_size(CAPSULE_VECTOR_BYTES)));
  typedef A Loose __attribute__((vector_size(CAPSULE_VECTOR_BYTES), aligned(sizeof(A)), may_alias));
  static constexpr int kCount = CAPSULE_VECTOR_BYTES / static_cast<int>(sizeof(A));

  static Vector load(const A* from) { return *reinterpret_cast<const Loose*>(from); }
  template <typename T>
  static Vector load(const T* from) {
    A wide[kCount];
    for (int x = 0; x < kCount; ++x) wide[x] = static_cast<A>(widen(from[x]));
    return load(wide);
  }
  static void store(Vector values, A* to) { *reinterpret_cast<Loose*>(to) = values; }
  template <typename T>
  static void store(Vector values, T* to) {
    A wide[kCount];
    store(values, wide);
    for (int x = 0; x < kCount; ++x) narrow(wide[x], to[x]);
  }
};

/// Calls `body` for blocks of `kRegisters`, then for what is left in single ones.
template <typename A, int kRegisters, typename Body>
inline void for_blocks(int64_t count, const Body& body) {
  constexpr int64_t step = Lanes<A>::kCount;
  int64_t x = 0;
  for (; x + kRegisters * step <= count; x += kRegisters * step) body(std::integral_constant<int, kRegisters>{}, x);
  for (; x < count; x += step) body(std::integral_constant<int, 1>{}, x);
}

/// The votes of one item where they lie, or in scratch memory.
template <typename T>
struct VoteRows {
  const T* data;
  int64_t input_stride, dim_stride;
  const T* ahead;  // those of the next item, or null where nothing is fetched ahead
};

template <typename A>
struct Tile {
  using Forward = CapsuleForward<A>;
  using Backward = CapsuleBackward<A>;
  using Register = Lanes<A>;
  using Vector = typename Register::Vector;
  static constexpr int64_t kStep = Register::kCount;
  /// Rows that are fetched ahead: enough to hide memory, few enough to stay in the first cache.
  static constexpr int64_t kAhead = 8;

  static int64_t scratch(const CapsuleSizes& sizes, int64_t iterations) {
    return sizes.tile * (sizes.inputs * sizes.dims + iterations * 2 * (sizes.inputs + sizes.dims) + 2 * sizes.dims + 8);
  }

  struct Place {
    int64_t k, start, count;
    Place(const CapsuleSizes& sizes, int64_t item) : k(item / sizes.tiles), start(item % sizes.tiles * sizes.tile) {
      const int64_t left = sizes.positions - start;
      count = left < sizes.tile ? left : sizes.tile;
    }
  };

  /// out = weights of one iteration, [S][tile]; 0 where the tile has no position.
  static void couple(const CapsuleCouplings<A>& couplings, const CapsuleSizes& sizes, const Place& place, A* out) {
    if (couplings.logits == nullptr) {
      for (int64_t x = 0; x < sizes.inputs * sizes.tile; ++x) out[x] = couplings.uniform;
      return;
    }
    for (int64_t s = 0; s < sizes.inputs; ++s) {
      const A* __restrict b = couplings.logits + (s * sizes.outputs + place.k) * sizes.positions + place.start;
      A* __restrict o = out + s * sizes.tile;
      const A highest = couplings.maxima[s], factor = couplings.factors[s];
      for (int64_t x = 0; x < place.count; ++x) o[x] = exp_below_zero(b[x] - highest) * factor;
      for (int64_t x = place.count; x < sizes.tile; ++x) o[x] = A(0);
    }
  }

  /// Fetches the rows of an item, and then the first ones of the next, `kAhead` rows before they are read.
  template <typename T>
  struct Fetch {
    const char* row;
    const T* ahead;
    int64_t input_step, dim_step, bytes, inputs, s, n, dims;

    Fetch(const VoteRows<T>& rows, const CapsuleSizes& sizes)
        : ahead(rows.ahead),
          input_step(rows.input_stride * static_cast<int64_t>(sizeof(T))),
          dim_step((rows.dim_stride - rows.input_stride * sizes.inputs) * static_cast<int64_t>(sizeof(T))),
          bytes(sizes.tile * static_cast<int64_t>(sizeof(T))),
          inputs(sizes.inputs),
          s(inputs > 0 ? kAhead % inputs : 0),
          n(inputs > 0 ? kAhead / inputs : 0),
          dims(sizes.dims) {
      row = reinterpret_cast<const char*>(rows.data + s * rows.input_stride + n * rows.dim_stride);
    }

    void step() {
      for (int64_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch(row + byte);
      row += input_step;
      if (++s < inputs) return;
      s = 0;
      row += dim_step;
      if (++n != dims) return;
      row = reinterpret_cast<const char*>(ahead);
    }
  };

  /// Sums of one capsule dimension over the input types, for `kRegisters` registers of places from `x` on.
  template <int kRegisters, int kSums, bool kKeep, bool kFetch, typename T>
  static inline __attribute__((always_inline)) void combine_block(const T* __restrict row, int64_t input_stride,
                                                                  int64_t inputs, const A* __restrict first_weights,
                                                                  const A* __restrict second_weights, int64_t tile,
                                                                  A first, A* first_out, A* second_out,
                                                                  A* __restrict kept,
                                                                  int64_t kept_stride, Fetch<T>& fetch) {
    Vector sums[kSums][kRegisters];
    for (int i = 0; i < kRegisters; ++i) {
      sums[0][i] = first - Vector{};
      if constexpr (kSums == 2) sums[1][i] = Vector{};
    }
    for (int64_t s = 0; s < inputs; ++s) {
      if constexpr (kFetch) fetch.step();
#pragma GCC unroll 8
      for (int i = 0; i < kRegisters; ++i) {
        const Vector votes = Register::load(row + i * kStep);
        if constexpr (kKeep) Register::store(votes, kept + i * kStep);
        sums[0][i] += Register::load(first_weights + i * kStep) * votes;
        if constexpr (kSums == 2) sums[1][i] += Register::load(second_weights + i * kStep) * votes;
      }
      row += input_stride;
      first_weights += tile;
      if constexpr (kSums == 2) second_weights += tile;
      if constexpr (kKeep) kept += kept_stride;
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRegisters; ++i) {
      Register::store(sums[0][i], first_out + i * kStep);
      if constexpr (kSums == 2) Register::store(sums[1][i], second_out + i * kStep);
    }
  }

  /// outs[i][n] = start[n] + Σ_s weights[i][s]·votes[s][n], `start` for the first; the votes go to `kept`, [S][N][tile].
  template <int kSums, bool kKeep, typename T>
  static void combine(const VoteRows<T>& rows, const CapsuleSizes& sizes, const A* const (&weights)[kSums],
                      A* const (&outs)[kSums], const A* start, A* kept) {
    const int64_t tile = sizes.tile, kept_stride = sizes.dims * tile;
    const bool fetches = rows.ahead != nullptr && kAhead <= sizes.dims * sizes.inputs;
    Fetch<T> fetch(rows, sizes);
    for (int64_t n = 0; n < sizes.dims; ++n) {
      const A first = start != nullptr ? start[n] : A(0);
      for_blocks<A, kSums == 1 ? 8 : 4>(tile, [&](auto registers, int64_t x) {
        constexpr int kRegisters = decltype(registers)::value;
        const T* row = rows.data + n * rows.dim_stride + x;
        if (fetches && x == 0) {
          combine_block<kRegisters, kSums, kKeep, true>(row, rows.input_stride, sizes.inputs, weights[0] + x,
                                                        weights[kSums - 1] + x, tile, first, outs[0] + n * tile + x,
                                                        outs[kSums - 1] + n * tile + x, kept + n * tile + x, kept_stride,
                                                        fetch);
        } else {
          combine_block<kRegisters, kSums, kKeep, false>(row, rows.input_stride, sizes.inputs, weights[0] + x,
                                                         weights[kSums - 1] + x, tile, first, outs[0] + n * tile + x,
                                                         outs[kSums - 1] + n * tile + x, kept + n * tile + x, kept_stride,
                                                         fetch);
        }
      });
    }
  }

  /// `combine` of the votes of an item in any layout.
  template <int kSums, bool kKeep>
  static void combine_votes(const CapsuleView& view, const CapsuleSizes& sizes, const Place& place, int64_t next,
                            const A* const (&weights)[kSums], A* const (&outs)[kSums], const A* start, A* kept) {
    const Place after(sizes, next);
    with_type<A>(view.type, [&](auto element) {
      using T = decltype(element);
      const T* data = static_cast<const T*>(view.data) + place.k * view.output_stride;
      if (is_row(view, sizes.width) && place.count == sizes.tile) {
        const T* ahead = static_cast<const T*>(view.data) + after.k * view.output_stride + after.start;
        const VoteRows<T> rows{data + place.start, view.input_stride, view.dim_stride, ahead};
        return combine<kSums, kKeep>(rows, sizes, weights, outs, start, kept);
      }
      load_votes<T>(view, sizes, place, kept);
      combine<kSums, false>(kept_rows(sizes, kept), sizes, weights, outs, start, kept);
    });
  }

  static VoteRows<A> kept_rows(const CapsuleSizes& sizes, const A* kept) {
    return {kept, sizes.dims * sizes.tile, sizes.tile, nullptr};
  }

  template <typename T>
  static void load_votes(const CapsuleView& view, const CapsuleSizes& sizes, const Place& place, A* kept) {
    for (int64_t s = 0; s < sizes.inputs; ++s) {
      for (int64_t n = 0; n < sizes.dims; ++n) {
        const int64_t offset = s * view.input_stride + place.k * view.output_stride + n * view.dim_stride;
        load_row<T>(view, offset, sizes, place.start, place.count, kept + (s * sizes.dims + n) * sizes.tile);
      }
    }
  }

  /// out = Σ_n a[n]·b[n]
  static void dot(const A* a, const A* b, const CapsuleSizes& sizes, A* out) {
    const int64_t tile = sizes.tile, dims = sizes.dims;
    for_blocks<A, 4>(tile, [=](auto registers, int64_t x) {
      constexpr int kRegisters = decltype(registers)::value;
      Vector sums[kRegisters] = {};
      const A *p = a + x, *q = b + x;
      for (int64_t n = 0; n < dims; ++n, p += tile, q += tile) {
#pragma GCC unroll 4
        for (int i = 0; i < kRegisters; ++i) sums[i] += Register::load(p + i * kStep) * Register::load(q + i * kStep);
      }
#pragma GCC unroll 4
      for (int i = 0; i < kRegisters; ++i) Register::store(sums[i], out + x + i * kStep);
    });
  }

  /// y = a·φ and, for the gradient, dL/dφ = a·g + b·φ·⟨φ, g⟩.
  static void squash_factors(const A* phi, const CapsuleSizes& sizes, A kappa, A* __restrict a, A* __restrict b) {
    dot(phi, phi, sizes, b);
    for (int64_t x = 0; x < sizes.tile; ++x) {
      const A squared = b[x];
      const A norm = root(squared);
      const A sum = kappa + squared;
      a[x] = norm / sum;
      b[x] = (kappa - squared) / ((norm < A(1e-12) ? A(1e-12) : norm) * (sum * sum));
    }
  }

  static void scale(const A* in, const A* by, const CapsuleSizes& sizes, A* __restrict out) {
    for (int64_t n = 0; n < sizes.dims; ++n) {
      for (int64_t x = 0; x < sizes.tile; ++x) out[n * sizes.tile + x] = in[n * sizes.tile + x] * by[x];
    }
  }

  static const A* bias_of(const A* bias, const CapsuleSizes& sizes, const Place& place) {
    return bias != nullptr ? bias + place.k * sizes.dims : nullptr;
  }

  static void forward(const Forward& pass, int64_t item, int64_t next_item, A* votes) {
    const CapsuleSizes& sizes = pass.sizes;
    const int64_t tile = sizes.tile;
    const Place place(sizes, item);
    A* couplings = votes + sizes.inputs * sizes.dims * tile;
    A* phi = couplings + sizes.inputs * tile;
    A* out = phi + sizes.dims * tile;
    A* a = out + sizes.dims * tile;
    A* b = a + tile;
    couple(pass.couplings, sizes, place, couplings);
    const A* start = bias_of(pass.bias, sizes, place);
    const A* const weights[1] = {couplings};
    A* const sums[1] = {phi};
    if (pass.next_logits != nullptr) {
      combine_votes<1, true>(pass.votes, sizes, place, next_item, weights, sums, start, votes);
    } else {
      combine_votes<1, false>(pass.votes, sizes, place, next_item, weights, sums, start, votes);
    }
    squash_factors(phi, sizes, pass.kappa, a, b);
    scale(phi, a, sizes, out);
    if (pass.next_logits != nullptr) {
      for (int64_t s = 0; s < sizes.inputs; ++s) {
        const int64_t offset = (s * sizes.outputs + place.k) * sizes.positions + place.start;
        dot(out, votes + s * sizes.dims * tile, sizes, b);
        const A* before = pass.couplings.logits;
        // Each place is read before it is written, so the old and the new logits may be the same memory.
        A* next = pass.next_logits + offset;
        if (before != nullptr) {
          before += offset;
#pragma GCC ivdep
          for (int64_t x = 0; x < place.count; ++x) b[x] += before[x];
        }
        for (int64_t x = place.count; x < tile; ++x) b[x] = -std::numeric_limits<A>::infinity();
        const A highest = highest_of(b, tile);
#pragma GCC ivdep
        for (int64_t x = 0; x < place.count; ++x) next[x] = b[x];
        for (int64_t x = 0; x < tile; ++x) a[x] = exp_below_zero(b[x] - highest);
        pass.maxima[item * sizes.inputs + s] = highest;
        pass.sums[item * sizes.inputs + s] = sum_of(a, tile);
      }
    }
    if (pass.capsules != nullptr) store_rows(*pass.capsules, sizes, place, out, sizes.dims, pass.capsules->dim_stride);
    if (pass.couplings_out != nullptr) {
      store_rows(*pass.couplings_out, sizes, place, couplings, sizes.inputs, pass.couplings_out->input_stride);
    }
  }

  static void store_rows(const CapsuleView& view, const CapsuleSizes& sizes, const Place& place, const A* values,
                         int64_t rows, int64_t stride) {
    with_type<A>(view.type, [&](auto element) {
      for (int64_t row = 0; row < rows; ++row) {
        store_row<decltype(element)>(view, place.k * view.output_stride + row * stride, sizes, place.start, place.count,
                                     values + row * sizes.tile);
      }
    });
  }

  static void merge(const CapsuleSizes& sizes, const A* item_maxima, const A* item_sums, A* maxima, A* factors) {
    const int64_t items = sizes.tiles * sizes.outputs;
    for (int64_t s = 0; s < sizes.inputs; ++s) {
      A highest = item_maxima[s];
      for (int64_t item = 1; item < items; ++item) {
        const A here = item_maxima[item * sizes.inputs + s];
        highest = here > highest ? here : highest;
      }
      double sum = 0.0;
      for (int64_t item = 0; item < items; ++item) {
        const int64_t at = item * sizes.inputs + s;
        sum += static_cast<double>(item_sums[at] * exp_below_zero(item_maxima[at] - highest));
      }
      maxima[s] = highest;
      factors[s] = static_cast<A>(1.0 / sum);
    }
  }

  static void load_grad(const Backward& pass, const Place& place, A* grad) {
    const CapsuleSizes& sizes = pass.sizes;
    with_type<A>(pass.grad.type, [&](auto element) {
      for (int64_t n = 0; n < sizes.dims; ++n) {
        load_row<decltype(element)>(pass.grad, place.k * pass.grad.output_stride + n * pass.grad.dim_stride, sizes,
                                    place.start, place.count, grad + n * sizes.tile);
      }
    });
  }

  /// c of iteration t to Γ: Γ^t = Γ^{t+1} + o^t·(c^t − Σ o^t·c^t).
  static void renew_gamma(const Backward& pass, int64_t t, int64_t item, const A* __restrict couplings) {
    const int64_t inputs = pass.sizes.inputs, tile = pass.sizes.tile;
    A* __restrict gamma = pass.gammas[t] + item * inputs * tile;
    const A* __restrict after = t + 1 < pass.iterations ? pass.gammas[t + 1] + item * inputs * tile : nullptr;
    for (int64_t s = 0; s < inputs; ++s) {
      const A mean = pass.means[t][s];
      for (int64_t x = s * tile; x < (s + 1) * tile; ++x) {
        const A change = couplings[x] * (gamma[x] - mean);
        gamma[x] = after != nullptr ? after[x] + change : change;
      }
    }
  }

  /// h = dL/dφ, and y = a·φ.
  static void squash_gradient(const A* phi, const A* grad, const CapsuleSizes& sizes, A kappa, A* __restrict pull,
                              A* __restrict output, A* __restrict rows) {
    A* __restrict a = rows;
    A* __restrict b = rows + sizes.tile;
    A* __restrict inner = b + sizes.tile;
    squash_factors(phi, sizes, kappa, a, b);
    dot(phi, grad, sizes, inner);
    for (int64_t x = 0; x < sizes.tile; ++x) b[x] *= inner[x];
    for (int64_t n = 0; n < sizes.dims; ++n) {
      const A* p = phi + n * sizes.tile;
      const A* g = grad + n * sizes.tile;
      for (int64_t x = 0; x < sizes.tile; ++x) {
        pull[n * sizes.tile + x] = a[x] * g[x] + b[x] * p[x];
        output[n * sizes.tile + x] = a[x] * p[x];
      }
    }
  }

  static void backward(const Backward& pass, int64_t item, int64_t next_item, A* votes) {
    const CapsuleSizes& sizes = pass.sizes;
    const int64_t t = pass.iteration, by_input = sizes.inputs * sizes.tile, by_dim = sizes.dims * sizes.tile;
    const Place place(sizes, item);
    A* couplings = votes + sizes.inputs * by_dim;
    A* phi = couplings + by_input;
    A* grad = phi + by_dim;
    A* pull = grad + by_dim;
    A* output = pull + by_dim;
    A* rows = output + by_dim;
    const A* start = bias_of(pass.bias, sizes, place);
    if (t + 1 == pass.iterations) {
      couple(pass.couplings[t], sizes, place, couplings);
      const A* const weights[1] = {couplings};
      A* const sums[1] = {phi};
      combine_votes<1, true>(pass.votes, sizes, place, next_item, weights, sums, start, votes);
      load_grad(pass, place, grad);
    } else {
      couple(pass.couplings[t + 1], sizes, place, couplings);
      renew_gamma(pass, t + 1, item, couplings);
      couple(pass.couplings[t], sizes, place, couplings);
      const A* const weights[2] = {couplings, pass.gammas[t + 1] + item * by_input};
      A* const sums[2] = {phi, grad};
      combine_votes<2, true>(pass.votes, sizes, place, next_item, weights, sums, start, votes);
    }
    squash_gradient(phi, grad, sizes, pass.kappa, pull, output, rows);
    for (int64_t s = 0; s < sizes.inputs; ++s) {
      A* __restrict c = pass.gammas[t] + item * by_input + s * sizes.tile;
      const A* __restrict o = couplings + s * sizes.tile;
      dot(pull, votes + s * by_dim, sizes, c);
      for (int64_t x = 0; x < sizes.tile; ++x) rows[x] = o[x] * c[x];
      pass.mean_parts[item * sizes.inputs + s] = sum_of(rows, sizes.tile);
    }
  }

  /// Σ_t o^t·h^t + Γ^{t+1}·y^t, each with all that it needs made again from the votes.
  static void finish(const Backward& pass, int64_t item, int64_t next_item, A* votes) {
    const CapsuleSizes& sizes = pass.sizes;
    const int64_t tile = sizes.tile, by_input = sizes.inputs * tile, by_dim = sizes.dims * tile;
    const int64_t first = pass.iteration, last = pass.iterations - 1;
    const Place place(sizes, item);
    const A* start = bias_of(pass.bias, sizes, place);
    A* couplings = votes + sizes.inputs * by_dim;
    A* pulls = couplings + pass.iterations * by_input;
    A* outputs = pulls + pass.iterations * by_dim;
    A* phi = outputs + pass.iterations * by_dim;
    A* grad = phi + by_dim;
    A* rows = grad + by_dim;
    for (int64_t t = first; t <= last; ++t) couple(pass.couplings[t], sizes, place, couplings + t * by_input);
    if (first < last) renew_gamma(pass, first + 1, item, couplings + (first + 1) * by_input);
    for (int64_t t = first; t <= last; ++t) {
      const A* const one[1] = {couplings + t * by_input};
      A* const one_sum[1] = {phi};
      if (t == last) {
        if (t == first) {
          combine_votes<1, false>(pass.votes, sizes, place, next_item, one, one_sum, start, votes);
        } else {
          combine<1, false>(kept_rows(sizes, votes), sizes, one, one_sum, start, votes);
        }
        load_grad(pass, place, grad);
      } else {
        const A* const two[2] = {couplings + t * by_input, pass.gammas[t + 1] + item * by_input};
        A* const two_sums[2] = {phi, grad};
        if (t == first) {
          combine_votes<2, true>(pass.votes, sizes, place, next_item, two, two_sums, start, votes);
        } else {
          combine<2, false>(kept_rows(sizes, votes), sizes, two, two_sums, start, votes);
        }
      }
      A* pull = pulls + t * by_dim;
      squash_gradient(phi, grad, sizes, pass.kappa, pull, outputs + t * by_dim, rows);
      for (int64_t n = 0; n < sizes.dims; ++n) {
        const A sum = sum_of(pull + n * tile, tile);
        A& part = pass.bias_parts[item * sizes.dims + n];
        part = t == first ? sum : part + sum;
      }
    }
    write_gradient(pass, item, place, couplings, pulls, outputs, phi);
  }

  static void write_gradient(const Backward& pass, int64_t item, const Place& place, const A* couplings, const A* pulls,
                             const A* outputs, A* row) {
    const CapsuleSizes& sizes = pass.sizes;
    const CapsuleView& view = pass.votes_grad;
    const int64_t tile = sizes.tile, by_input = sizes.inputs * tile, by_dim = sizes.dims * tile;
    const int64_t first = pass.iteration, last = pass.iterations - 1;
    const bool direct = is_row(view, sizes.width) && place.count == tile;
    with_type<A>(view.type, [&](auto element) {
      using T = decltype(element);
      for (int64_t s = 0; s < sizes.inputs; ++s) {
        for (int64_t n = 0; n < sizes.dims; ++n) {
          const int64_t offset = s * view.input_stride + place.k * view.output_stride + n * view.dim_stride;
          T* out = static_cast<T*>(view.data) + offset + place.start;
          for_blocks<A, 4>(tile, [&](auto registers, int64_t x) {
            constexpr int kRegisters = decltype(registers)::value;
            Vector sums[kRegisters] = {};
            const auto add = [&](const A* p, const A* q) {
#pragma GCC unroll 4
              for (int i = 0; i < kRegisters; ++i) sums[i] += Register::load(p + i * kStep) * Register::load(q + i * kStep);
            };
            const int64_t by_s = s * tile + x, by_n = n * tile + x;
            for (int64_t t = first; t <= last; ++t) {
              add(couplings + t * by_input + by_s, pulls + t * by_dim + by_n);
              if (t < last) add(pass.gammas[t + 1] + item * by_input + by_s, outputs + t * by_dim + by_n);
            }
#pragma GCC unroll 4
            for (int i = 0; i < kRegisters; ++i) {
              if (direct) {
                Register::store(sums[i], out + x + i * kStep);
              } else {
                Register::store(sums[i], row + x + i * kStep);
              }
            }
          });
          if (!direct) store_row<T>(view, offset, sizes, place.start, place.count, row);
        }
      }
    });
  }

  static constexpr CapsuleTiles<A> table() { return {scratch, forward, merge, backward, finish}; }
};

}  // namespace

const CapsuleTables CAPSULE_TILES{Tile<float>::table(), Tile<double>::table()};

}  // namespace vision_native
