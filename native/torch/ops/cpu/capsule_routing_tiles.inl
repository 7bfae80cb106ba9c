// Body of the tile functions; included by one file for each instruction set, which names the tables (CAPSULE_TILES).
// Sums have a fixed order and nothing is contracted, so all instruction sets give the same bits.
#pragma GCC optimize("no-math-errno", "no-trapping-math")

namespace vision_native {
namespace {

// ---- Element types ----------------------------------------------------------------------------------------------

inline float float_of_bits(uint32_t bits) { return __builtin_bit_cast(float, bits); }
inline uint32_t bits_of_float(float value) { return __builtin_bit_cast(uint32_t, value); }

struct HalfBits {
  uint16_t bits;
};
struct BFloat16Bits {
  uint16_t bits;
};

inline float widen(float value) { return value; }
inline double widen(double value) { return value; }
inline float widen(HalfBits value) {
  const uint32_t sign = static_cast<uint32_t>(value.bits & 0x8000u) << 16;
  const uint32_t rest = static_cast<uint32_t>(value.bits & 0x7fffu) << 13;
  // 2¹¹² moves the exponent to float's; subnormal numbers come out right too.
  const uint32_t finite = bits_of_float(float_of_bits(rest) * 0x1p112f);
  return float_of_bits(sign | (rest >= 0x0f800000u ? rest | 0x7f800000u : finite));
}
inline float widen(BFloat16Bits value) { return float_of_bits(static_cast<uint32_t>(value.bits) << 16); }

inline void narrow(float value, float& out) { out = value; }
inline void narrow(double value, double& out) { out = value; }
inline void narrow(double value, float& out) { out = static_cast<float>(value); }
inline void narrow(float value, double& out) { out = value; }
inline void narrow(float value, BFloat16Bits& out) {
  const uint32_t bits = bits_of_float(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  out.bits = static_cast<uint16_t>(value != value ? 0x7fc0u : rounded);
}
inline void narrow(float value, HalfBits& out) {
  const uint32_t bits = bits_of_float(value);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  // Adding ½ leaves a subnormal half in the low bits, rounded to even.
  const uint32_t subnormal = bits_of_float(float_of_bits(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t normal = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  uint32_t half = magnitude < 0x38800000u ? subnormal : normal;
  half = magnitude >= 0x477ff000u ? 0x7c00u : half;
  half = magnitude > 0x7f800000u ? 0x7e00u : half;
  out.bits = static_cast<uint16_t>(sign | half);
}
inline void narrow(double value, BFloat16Bits& out) { narrow(static_cast<float>(value), out); }
inline void narrow(double value, HalfBits& out) { narrow(static_cast<float>(value), out); }

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

template <int kTile, typename T, typename A>
inline void load_row(const CapsuleView& view, int64_t offset, int64_t width, int64_t start, int64_t count,
                     A* __restrict out) {
  const T* data = static_cast<const T*>(view.data) + offset;
  if (view.column_stride == 1 && view.row_stride == width && count == kTile) {
    const T* __restrict row = data + start;
    for (int x = 0; x < kTile; ++x) out[x] = static_cast<A>(widen(row[x]));
    return;
  }
  for_runs(view, width, start, count, [&](int64_t at, int64_t place, int64_t run) {
    for (int64_t x = 0; x < run; ++x) out[place + x] = static_cast<A>(widen(data[at + x * view.column_stride]));
  });
  for (int64_t x = count; x < kTile; ++x) out[x] = A(0);
}

template <int kTile, typename T, typename A>
inline void store_row(const CapsuleView& view, int64_t offset, int64_t width, int64_t start, int64_t count,
                      const A* __restrict in) {
  T* data = static_cast<T*>(view.data) + offset;
  if (view.column_stride == 1 && view.row_stride == width && count == kTile) {
    T* __restrict row = data + start;
    for (int x = 0; x < kTile; ++x) narrow(in[x], row[x]);
    return;
  }
  for_runs(view, width, start, count, [&](int64_t at, int64_t place, int64_t run) {
    for (int64_t x = 0; x < run; ++x) narrow(in[place + x], data[at + x * view.column_stride]);
  });
}

template <typename Body>
inline void with_type(CapsuleType type, const Body& body) {
  switch (type) {
    case CapsuleType::kFloat: return body(float{});
    case CapsuleType::kDouble: return body(double{});
    case CapsuleType::kHalf: return body(HalfBits{});
    case CapsuleType::kBFloat16: return body(BFloat16Bits{});
  }
}

// ---- Arithmetic -------------------------------------------------------------------------------------------------

/// exp of a number that is not above 0; relative error below 2⁻²²·⁵.
inline float exp_below_zero(float x) {
  const float shifted = x * 1.44269504088896341f + 12582912.0f;
  const float whole = shifted - 12582912.0f;
  const float rest = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * rest + 1.3981999507e-3f;
  p = p * rest + 8.3334519073e-3f;
  p = p * rest + 4.1665795894e-2f;
  p = p * rest + 1.6666665459e-1f;
  p = p * rest + 5.0000001201e-1f;
  const float value = (p * (rest * rest) + rest) + 1.0f;
  const uint32_t exponent = (bits_of_float(shifted) - 0x4b400000u + 127u) << 23;
  return x < -87.0f ? 0.0f : value * float_of_bits(exponent);
}
inline double exp_below_zero(double x) { return std::exp(x); }

/// Eight partial sums, whatever the width of the registers.
template <int kTile, typename A>
inline A sum_of(const A* __restrict values) {
  A lanes[8] = {};
  for (int x = 0; x < kTile; x += 8) {
    for (int lane = 0; lane < 8; ++lane) lanes[lane] += values[x + lane];
  }
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

template <typename A, int kTile>
struct Tile {
  using Forward = CapsuleForward<A>;
  using Backward = CapsuleBackward<A>;

  static int64_t scratch(const CapsuleSizes& sizes, int64_t iterations) {
    return kTile * (sizes.inputs * sizes.dims + iterations * sizes.inputs + 4 * sizes.dims + 8);
  }

  static int64_t count_of(const CapsuleSizes& sizes, int64_t tile) {
    const int64_t left = sizes.positions - tile * kTile;
    return left < kTile ? left : kTile;
  }

  /// Votes of all input types for one output type, as [S][N][kTile].
  static void load_votes(const CapsuleView& view, const CapsuleSizes& sizes, int64_t k, int64_t tile, A* votes) {
    const int64_t count = count_of(sizes, tile);
    with_type(view.type, [&](auto element) {
      for (int64_t s = 0; s < sizes.inputs; ++s) {
        for (int64_t n = 0; n < sizes.dims; ++n) {
          const int64_t offset = s * view.input_stride + k * view.output_stride + n * view.dim_stride;
          load_row<kTile, decltype(element)>(view, offset, sizes.width, tile * kTile, count,
                                             votes + (s * sizes.dims + n) * kTile);
        }
      }
    });
  }

  static void couple(const CapsuleCouplings<A>& couplings, int64_t inputs, int64_t item, A* __restrict out) {
    if (couplings.weights == nullptr) {
      for (int64_t x = 0; x < inputs * kTile; ++x) out[x] = couplings.uniform;
      return;
    }
    const A* __restrict weights = couplings.weights + item * inputs * kTile;
    for (int64_t s = 0; s < inputs; ++s) {
      const A factor = couplings.factors[s];
      for (int x = 0; x < kTile; ++x) out[s * kTile + x] = weights[s * kTile + x] * factor;
    }
  }

  /// out[n] = start[n] + Σ_s weights[s]·votes[s][n]
  static void combine(const A* __restrict weights, const A* __restrict votes, const A* start, const CapsuleSizes& sizes,
                      A* __restrict out) {
    for (int64_t n = 0; n < sizes.dims; ++n) {
      A* __restrict sum = out + n * kTile;
      const A first = start != nullptr ? start[n] : A(0);
      for (int x = 0; x < kTile; ++x) sum[x] = first;
      int64_t s = 0;
      const int64_t step = sizes.dims * kTile;
      for (; s + 4 <= sizes.inputs; s += 4) {
        const A* __restrict w = weights + s * kTile;
        const A* __restrict v = votes + s * step + n * kTile;
        for (int x = 0; x < kTile; ++x) {
          sum[x] = (((sum[x] + w[x] * v[x]) + w[kTile + x] * v[step + x]) + w[2 * kTile + x] * v[2 * step + x]) +
                   w[3 * kTile + x] * v[3 * step + x];
        }
      }
      for (; s < sizes.inputs; ++s) {
        const A* __restrict w = weights + s * kTile;
        const A* __restrict v = votes + s * step + n * kTile;
        for (int x = 0; x < kTile; ++x) sum[x] += w[x] * v[x];
      }
    }
  }

  /// out = Σ_n a[n]·b[n]
  static void dot(const A* __restrict a, const A* __restrict b, int64_t dims, A* __restrict out) {
    A sum[kTile] = {};
    int64_t n = 0;
    for (; n + 4 <= dims; n += 4) {
      const A* __restrict p = a + n * kTile;
      const A* __restrict q = b + n * kTile;
      for (int x = 0; x < kTile; ++x) {
        sum[x] = (((sum[x] + p[x] * q[x]) + p[kTile + x] * q[kTile + x]) + p[2 * kTile + x] * q[2 * kTile + x]) +
                 p[3 * kTile + x] * q[3 * kTile + x];
      }
    }
    for (; n < dims; ++n) {
      for (int x = 0; x < kTile; ++x) sum[x] += a[n * kTile + x] * b[n * kTile + x];
    }
    for (int x = 0; x < kTile; ++x) out[x] = sum[x];
  }

  /// `out` may be `in`.
  static void scale(const A* in, const A* by, int64_t dims, A* out) {
    for (int64_t n = 0; n < dims; ++n) {
#pragma GCC ivdep
      for (int x = 0; x < kTile; ++x) out[n * kTile + x] = in[n * kTile + x] * by[x];
    }
  }

  /// y = a·φ and, for the gradient, dL/dφ = a·g + b·φ·⟨φ, g⟩.
  static void squash_factors(const A* __restrict phi, int64_t dims, A kappa, A* __restrict a, A* __restrict b) {
    A squared[kTile];
    dot(phi, phi, dims, squared);
    for (int x = 0; x < kTile; ++x) {
      const A norm = std::sqrt(squared[x]);
      const A sum = kappa + squared[x];
      a[x] = norm / sum;
      b[x] = (kappa - squared[x]) / ((norm < A(1e-12) ? A(1e-12) : norm) * (sum * sum));
    }
  }

  static void forward(const Forward& pass, int64_t item, A* votes) {
    const CapsuleSizes& sizes = pass.sizes;
    const int64_t k = item / sizes.tiles;
    const int64_t tile = item % sizes.tiles;
    const int64_t count = count_of(sizes, tile);
    A* couplings = votes + sizes.inputs * sizes.dims * kTile;
    A* phi = couplings + sizes.inputs * kTile;
    A factors[kTile], unused[kTile];
    load_votes(pass.votes, sizes, k, tile, votes);
    couple(pass.couplings, sizes.inputs, item, couplings);
    combine(couplings, votes, pass.bias != nullptr ? pass.bias + k * sizes.dims : nullptr, sizes, phi);
    squash_factors(phi, sizes.dims, pass.kappa, factors, unused);
    scale(phi, factors, sizes.dims, phi);
    if (pass.next_logits != nullptr) {
      for (int64_t s = 0; s < sizes.inputs; ++s) {
        const int64_t place = item * sizes.inputs + s;
        A* __restrict next = pass.next_logits + place * kTile;
        dot(phi, votes + s * sizes.dims * kTile, sizes.dims, next);
        if (pass.logits != nullptr) {
          const A* __restrict before = pass.logits + place * kTile;
          for (int x = 0; x < kTile; ++x) next[x] += before[x];
        }
        for (int64_t x = count; x < kTile; ++x) next[x] = -std::numeric_limits<A>::infinity();
        A highest = next[0];
        for (int x = 1; x < kTile; ++x) highest = next[x] > highest ? next[x] : highest;
        pass.maxima[place] = highest;
      }
    }
    if (pass.capsules != nullptr) store_tile(*pass.capsules, sizes, k, tile, phi, sizes.dims, pass.capsules->dim_stride);
    if (pass.couplings_out != nullptr) {
      store_tile(*pass.couplings_out, sizes, k, tile, couplings, sizes.inputs, pass.couplings_out->input_stride);
    }
  }

  static void store_tile(const CapsuleView& view, const CapsuleSizes& sizes, int64_t k, int64_t tile, const A* values,
                         int64_t rows, int64_t stride) {
    with_type(view.type, [&](auto element) {
      for (int64_t row = 0; row < rows; ++row) {
        store_row<kTile, decltype(element)>(view, k * view.output_stride + row * stride, sizes.width, tile * kTile,
                                            count_of(sizes, tile), values + row * kTile);
      }
    });
  }

  static void exponentials(const A* logits, const A* maxima, A* weights, A* parts, int64_t inputs, int64_t item) {
    for (int64_t s = 0; s < inputs; ++s) {
      const A* __restrict b = logits + (item * inputs + s) * kTile;
      A* __restrict e = weights + (item * inputs + s) * kTile;
      const A highest = maxima[s];
      for (int x = 0; x < kTile; ++x) e[x] = exp_below_zero(b[x] - highest);
      parts[item * inputs + s] = sum_of<kTile>(e);
    }
  }

  static void backward(const Backward& pass, int64_t item, A* votes) {
    const CapsuleSizes& sizes = pass.sizes;
    const int64_t t = pass.iteration;
    const int64_t k = item / sizes.tiles;
    const int64_t tile = item % sizes.tiles;
    const int64_t by_input = sizes.inputs * kTile;
    const int64_t by_dim = sizes.dims * kTile;
    A* couplings = votes + sizes.inputs * by_dim;
    A* phi = couplings + pass.iterations * by_input;
    A* grad = phi + by_dim;
    A* pull = pass.last ? grad + by_dim : pass.pulls[t] + item * by_dim;
    A a[kTile], b[kTile], inner[kTile];

    load_votes(pass.votes, sizes, k, tile, votes);
    couple(pass.couplings[t], sizes.inputs, item, couplings);
    combine(couplings, votes, pass.bias != nullptr ? pass.bias + k * sizes.dims : nullptr, sizes, phi);
    if (pass.first) {
      with_type(pass.grad.type, [&](auto element) {
        for (int64_t n = 0; n < sizes.dims; ++n) {
          load_row<kTile, decltype(element)>(pass.grad, k * pass.grad.output_stride + n * pass.grad.dim_stride,
                                             sizes.width, tile * kTile, count_of(sizes, tile), grad + n * kTile);
        }
      });
    } else {
      A* gamma = pass.gammas[t + 1] + item * by_input;
      renew_gamma(pass, item, couplings + by_input, gamma);
      combine(gamma, votes, nullptr, sizes, grad);
    }

    squash_factors(phi, sizes.dims, pass.kappa, a, b);
    dot(phi, grad, sizes.dims, inner);
    for (int64_t n = 0; n < sizes.dims; ++n) {
      const A* __restrict p = phi + n * kTile;
      const A* __restrict g = grad + n * kTile;
      A* __restrict h = pull + n * kTile;
      for (int x = 0; x < kTile; ++x) h[x] = a[x] * g[x] + (b[x] * p[x]) * inner[x];
      pass.bias_parts[item * sizes.dims + n] = sum_of<kTile>(h);
    }
    A* output = phi;
    if (!pass.first) {
      if (!pass.last) output = pass.capsules[t] + item * by_dim;
      scale(phi, a, sizes.dims, output);
    }
    if (pass.last) {
      write_gradient(pass, item, k, tile, couplings, pull, output, grad);
      return;
    }
    for (int64_t s = 0; s < sizes.inputs; ++s) {
      A* __restrict c = pass.agreement + item * by_input + s * kTile;
      const A* __restrict o = couplings + s * kTile;
      dot(pull, votes + s * by_dim, sizes.dims, c);
      for (int x = 0; x < kTile; ++x) inner[x] = o[x] * c[x];
      pass.mean_parts[item * sizes.inputs + s] = sum_of<kTile>(inner);
    }
  }

  /// Γ of the iteration after this one, from what its pass left.
  static void renew_gamma(const Backward& pass, int64_t item, A* __restrict couplings, A* __restrict gamma) {
    const int64_t inputs = pass.sizes.inputs;
    const int64_t after = pass.iteration + 1;
    const A* before = after + 1 < pass.iterations ? pass.gammas[after + 1] + item * inputs * kTile : nullptr;
    const A* __restrict agreement = pass.agreement + item * inputs * kTile;
    couple(pass.couplings[after], inputs, item, couplings);
    for (int64_t s = 0; s < inputs; ++s) {
      const A mean = pass.means[s];
      for (int64_t x = s * kTile; x < (s + 1) * kTile; ++x) {
        const A change = couplings[x] * (agreement[x] - mean);
        gamma[x] = before != nullptr ? before[x] + change : change;
      }
    }
  }

  /// Σ_t o^t·h^t + Γ^{t+1}·y^t over the iterations from this one on.
  static void write_gradient(const Backward& pass, int64_t item, int64_t k, int64_t tile, A* couplings, const A* pull,
                             const A* output, A* __restrict row) {
    const CapsuleSizes& sizes = pass.sizes;
    const int64_t by_input = sizes.inputs * kTile;
    const int64_t by_dim = sizes.dims * kTile;
    const int64_t first = pass.iteration;
    for (int64_t t = first + 1; t < pass.iterations; ++t) {
      couple(pass.couplings[t], sizes.inputs, item, couplings + (t - first) * by_input);
    }
    with_type(pass.votes_grad.type, [&](auto element) {
      for (int64_t s = 0; s < sizes.inputs; ++s) {
        for (int64_t n = 0; n < sizes.dims; ++n) {
          for (int64_t t = first; t < pass.iterations; ++t) {
            const A* __restrict o = couplings + (t - first) * by_input + s * kTile;
            const A* __restrict h = (t == first ? pull : pass.pulls[t] + item * by_dim) + n * kTile;
            if (t == first) {
              for (int x = 0; x < kTile; ++x) row[x] = o[x] * h[x];
            } else {
              for (int x = 0; x < kTile; ++x) row[x] += o[x] * h[x];
            }
            if (t + 1 == pass.iterations) continue;
            const A* __restrict gamma = pass.gammas[t + 1] + item * by_input + s * kTile;
            const A* __restrict y = (t == first ? output : pass.capsules[t] + item * by_dim) + n * kTile;
            for (int x = 0; x < kTile; ++x) row[x] += gamma[x] * y[x];
          }
          const CapsuleView& view = pass.votes_grad;
          const int64_t offset = s * view.input_stride + k * view.output_stride + n * view.dim_stride;
          store_row<kTile, decltype(element)>(view, offset, sizes.width, tile * kTile, count_of(sizes, tile), row);
        }
      }
    });
  }

  static constexpr CapsuleTiles<A> table() { return {kTile, scratch, forward, exponentials, backward}; }
};

}  // namespace

const CapsuleTables CAPSULE_TILES{Tile<float, 64>::table(), Tile<float, 16>::table(), Tile<double, 64>::table(),
                                  Tile<double, 16>::table()};

}  // namespace vision_native
