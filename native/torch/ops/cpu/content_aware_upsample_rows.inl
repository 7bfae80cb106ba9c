// Body of the row functions; included by one file for each instruction set, which names the tables (CAU_ROWS).
#pragma GCC optimize("no-math-errno", "no-trapping-math")

namespace vision_native {
namespace {

constexpr int kLanes = static_cast<int>(kCauLanes);

/// exp of a number that is not above 0; relative error below 2⁻²²·⁵. NaN stays NaN.
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
  const uint32_t exponent = (__builtin_bit_cast(uint32_t, shifted) - 0x4b400000u + 127u) << 23;
  return x < -87.0f ? 0.0f : value * __builtin_bit_cast(float, exponent);
}
inline double exp_below_zero(double x) { return std::exp(x); }

template <typename A>
struct Rows {
  typedef A Vector __attribute__((vector_size(kLanes * sizeof(A))));

  static inline void load(Vector& into, const A* from) { __builtin_memcpy(&into, from, sizeof(Vector)); }
  static inline void store(A* into, const Vector& from) { __builtin_memcpy(into, &from, sizeof(Vector)); }

  static int64_t columns(const CauShape& shape) { return (shape.width + kLanes - 1) / kLanes * kLanes; }

  static void softmax(A* weights, const CauShape& shape) {
    const int64_t taps = shape.window * shape.window;
    const int64_t step = shape.scale * shape.scale * shape.padded;
    constexpr A lowest = -std::numeric_limits<A>::infinity();
    for (int64_t uv = 0; uv < shape.scale * shape.scale; ++uv) {
      for (int64_t j = 0; j < columns(shape); j += kLanes) {
        A* first = weights + uv * shape.padded + j;
        A highest[kLanes], sum[kLanes] = {};
        for (int x = 0; x < kLanes; ++x) highest[x] = lowest;
        for (int64_t k = 0; k < taps; ++k) {
          const A* __restrict z = first + k * step;
          for (int x = 0; x < kLanes; ++x) highest[x] = z[x] > highest[x] ? z[x] : highest[x];
        }
        // Nothing but −∞: every weight is 0.
        for (int x = 0; x < kLanes; ++x) highest[x] = highest[x] == lowest ? A(0) : highest[x];
        for (int64_t k = 0; k < taps; ++k) {
          A* __restrict z = first + k * step;
          for (int x = 0; x < kLanes; ++x) {
            z[x] = exp_below_zero(z[x] - highest[x]);
            sum[x] += z[x];
          }
        }
        for (int x = 0; x < kLanes; ++x) sum[x] = sum[x] == A(0) ? A(0) : A(1) / sum[x];
        for (int64_t k = 0; k < taps; ++k) {
          A* __restrict z = first + k * step;
          for (int x = 0; x < kLanes; ++x) z[x] *= sum[x];
        }
      }
    }
  }

  template <int kParts>
  static void reassemble_parts(const A* features, const A* weights, A* out, const CauShape& shape, int64_t first) {
    const int64_t parts = shape.scale * shape.scale;
    const int64_t plane = shape.window * shape.padded;
    for (int64_t j = 0; j < columns(shape); j += kLanes) {
      Vector sum[2][kParts] = {};
      const A* weight = weights + first * shape.padded + j;
      for (int64_t a = 0; a < shape.window; ++a) {
        const A* row = features + a * shape.padded + j;
        for (int64_t b = 0; b < shape.window; ++b, weight += parts * shape.padded) {
          Vector f0, f1;
          load(f0, row + b);
          load(f1, row + plane + b);
#pragma GCC unroll 4
          for (int part = 0; part < kParts; ++part) {
            Vector w;
            load(w, weight + part * shape.padded);
            sum[0][part] += w * f0;
            sum[1][part] += w * f1;
          }
        }
      }
#pragma GCC unroll 4
      for (int part = 0; part < kParts; ++part) {
        store(out + (first + part) * shape.padded + j, sum[0][part]);
        store(out + (parts + first + part) * shape.padded + j, sum[1][part]);
      }
    }
  }

  static void reassemble(const A* features, const A* weights, A* out, const CauShape& shape) {
    const int64_t parts = shape.scale * shape.scale;
    int64_t first = 0;
    for (; first + 4 <= parts; first += 4) reassemble_parts<4>(features, weights, out, shape, first);
    for (; first < parts; ++first) reassemble_parts<1>(features, weights, out, shape, first);
  }

  template <int kParts>
  static void correlate_parts(const A* features, const A* grads, A* slopes, int64_t count, const CauShape& shape,
                              int64_t first) {
    const int64_t parts = shape.scale * shape.scale;
    for (int64_t a = 0; a < shape.window; ++a) {
      for (int64_t b = 0; b < shape.window; b += 2) {
        const bool pair = b + 1 < shape.window;
        const int64_t next = pair ? 1 : 0;
        A* slope = slopes + ((a * shape.window + b) * parts + first) * shape.padded;
        for (int64_t j = 0; j < columns(shape); j += kLanes) {
          Vector sum[2][kParts] = {};
          const A* row = features + a * shape.padded + j + b;
          const A* grad = grads + first * shape.padded + j;
          for (int64_t c = 0; c < count; ++c) {
            Vector f0, f1;
            load(f0, row);
            load(f1, row + next);
#pragma GCC unroll 4
            for (int part = 0; part < kParts; ++part) {
              Vector g;
              load(g, grad + part * shape.padded);
              sum[0][part] += g * f0;
              sum[1][part] += g * f1;
            }
            row += shape.window * shape.padded;
            grad += parts * shape.padded;
          }
#pragma GCC unroll 4
          for (int part = 0; part < kParts; ++part) {
            Vector before;
            A* place = slope + part * shape.padded + j;
            load(before, place);
            store(place, before + sum[0][part]);
            if (!pair) continue;
            place += parts * shape.padded;
            load(before, place);
            store(place, before + sum[1][part]);
          }
        }
      }
    }
  }

  static void correlate(const A* features, const A* grads, A* slopes, int64_t count, const CauShape& shape) {
    const int64_t parts = shape.scale * shape.scale;
    int64_t first = 0;
    for (; first + 4 <= parts; first += 4) correlate_parts<4>(features, grads, slopes, count, shape, first);
    for (; first < parts; ++first) correlate_parts<1>(features, grads, slopes, count, shape, first);
  }

  static void softmax_backward(const A* weights, A* slopes, const CauShape& shape) {
    const int64_t taps = shape.window * shape.window;
    const int64_t step = shape.scale * shape.scale * shape.padded;
    for (int64_t uv = 0; uv < shape.scale * shape.scale; ++uv) {
      for (int64_t j = 0; j < columns(shape); j += kLanes) {
        const A* weight = weights + uv * shape.padded + j;
        A* slope = slopes + uv * shape.padded + j;
        A mean[kLanes] = {};
        for (int64_t k = 0; k < taps; ++k) {
          for (int x = 0; x < kLanes; ++x) mean[x] += weight[k * step + x] * slope[k * step + x];
        }
        for (int64_t k = 0; k < taps; ++k) {
          const A* __restrict w = weight + k * step;
          A* __restrict d = slope + k * step;
          for (int x = 0; x < kLanes; ++x) d[x] = w[x] * (d[x] - mean[x]);
        }
      }
    }
  }

  template <int kCount>
  static void gather_channels(const A* grads, int64_t grad_stride, const A* weights, int64_t a, A* features,
                              const CauShape& shape) {
    const int64_t parts = shape.scale * shape.scale;
    for (int64_t j = 0; j < columns(shape); j += kLanes) {
      Vector sum[kCount];
#pragma GCC unroll 8
      for (int c = 0; c < kCount; ++c) load(sum[c], features + c * shape.padded + j);
      for (int64_t b = 0; b < shape.window; ++b) {
        // Output column j takes tap b of source column j − (b − p); rows start p columns before the first.
        const int64_t column = j + shape.window - 1 - b;
        const A* weight = weights + ((a * shape.window + b) * parts) * shape.padded + column;
        for (int64_t part = 0; part < parts; ++part) {
          Vector w;
          load(w, weight + part * shape.padded);
#pragma GCC unroll 8
          for (int c = 0; c < kCount; ++c) {
            Vector g;
            load(g, grads + c * grad_stride + part * shape.padded + column);
            sum[c] += w * g;
          }
        }
      }
#pragma GCC unroll 8
      for (int c = 0; c < kCount; ++c) store(features + c * shape.padded + j, sum[c]);
    }
  }

  static void gather(const A* grads, int64_t grad_stride, const A* weights, int64_t a, A* features, int64_t count,
                     const CauShape& shape) {
    int64_t c = 0;
    for (; c + 8 <= count; c += 8) {
      gather_channels<8>(grads + c * grad_stride, grad_stride, weights, a, features + c * shape.padded, shape);
    }
    for (; c < count; ++c) {
      gather_channels<1>(grads + c * grad_stride, grad_stride, weights, a, features + c * shape.padded, shape);
    }
  }

  // ---- Lanes over channels --------------------------------------------------------------------------------------------

  // Sums of four outputs fill the registers: vectors of eight are two of SSE's.
#ifdef __AVX2__
  static constexpr int kPixelVectors = 2;
#else
  static constexpr int kPixelVectors = 1;
#endif

  template <int kParts>
  static void reassemble_pixel(const A* const* rows, int64_t pitch, const A* weights, A* const* out, const CauShape& shape,
                               int64_t j, int64_t first, int64_t c) {
    const int64_t parts = shape.scale * shape.scale;
    Vector sum[kParts][kPixelVectors] = {};
    const A* weight = weights + first * shape.padded + j;
    for (int64_t a = 0; a < shape.window; ++a) {
      const A* pixel = rows[a] + j * pitch + c;
      for (int64_t b = 0; b < shape.window; ++b, weight += parts * shape.padded, pixel += pitch) {
        Vector f[kPixelVectors];
#pragma GCC unroll 2
        for (int k = 0; k < kPixelVectors; ++k) load(f[k], pixel + k * kLanes);
#pragma GCC unroll 4
        for (int part = 0; part < kParts; ++part) {
          const A w = weight[part * shape.padded];
#pragma GCC unroll 2
          for (int k = 0; k < kPixelVectors; ++k) sum[part][k] += w * f[k];
        }
      }
    }
#pragma GCC unroll 4
    for (int part = 0; part < kParts; ++part) {
#pragma GCC unroll 2
      for (int k = 0; k < kPixelVectors; ++k) store(out[first + part] + c + k * kLanes, sum[part][k]);
    }
  }

  static void reassemble_pixels(const A* const* rows, int64_t pitch, const A* weights, A* const* out, int64_t out_pitch,
                                const CauShape& shape) {
    const int64_t parts = shape.scale * shape.scale;
    A* places[kCauMostParts];
    for (int64_t j = 0; j < shape.width; ++j) {
      for (int64_t part = 0; part < parts; ++part) {
        places[part] = out[part / shape.scale] + (j * shape.scale + part % shape.scale) * out_pitch;
      }
      for (int64_t c = 0; c < shape.channels; c += kPixelVectors * kLanes) {
        int64_t first = 0;
        for (; first + 4 <= parts; first += 4) {
          reassemble_pixel<4>(rows, pitch, weights, places, shape, j, first, c);
        }
        for (; first < parts; ++first) reassemble_pixel<1>(rows, pitch, weights, places, shape, j, first, c);
      }
    }
  }

  static A total(const Vector& v) {
    A lanes[kLanes];
    store(lanes, v);
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  }

  template <int kParts>
  static void correlate_pixel(const A* const* rows, int64_t pitch, const A* const* grads, A* slopes, const CauShape& shape,
                              int64_t j, int64_t first) {
    const int64_t parts = shape.scale * shape.scale;
    for (int64_t a = 0; a < shape.window; ++a) {
      for (int64_t b = 0; b < shape.window; b += 2) {
        const bool pair = b + 1 < shape.window;
        const A* pixel = rows[a] + (j + b) * pitch;
        const int64_t next = pair ? pitch : 0;
        Vector sum[2][kParts] = {};
        for (int64_t c = 0; c < shape.channels; c += kLanes) {
          Vector f0, f1;
          load(f0, pixel + c);
          load(f1, pixel + next + c);
#pragma GCC unroll 4
          for (int part = 0; part < kParts; ++part) {
            Vector g;
            load(g, grads[first + part] + c);
            sum[0][part] += g * f0;
            sum[1][part] += g * f1;
          }
        }
        A* slope = slopes + ((a * shape.window + b) * parts + first) * shape.padded + j;
        for (int part = 0; part < kParts; ++part) {
          slope[part * shape.padded] = total(sum[0][part]);
          if (pair) slope[(parts + part) * shape.padded] = total(sum[1][part]);
        }
      }
    }
  }

  static void correlate_pixels(const A* const* rows, int64_t pitch, const A* const* grads, int64_t grad_pitch, A* slopes,
                               const CauShape& shape) {
    const int64_t parts = shape.scale * shape.scale;
    const A* places[kCauMostParts];
    for (int64_t j = 0; j < shape.width; ++j) {
      for (int64_t part = 0; part < parts; ++part) {
        places[part] = grads[part / shape.scale] + (j * shape.scale + part % shape.scale) * grad_pitch;
      }
      int64_t first = 0;
      for (; first + 4 <= parts; first += 4) correlate_pixel<4>(rows, pitch, places, slopes, shape, j, first);
      for (; first < parts; ++first) correlate_pixel<1>(rows, pitch, places, slopes, shape, j, first);
    }
  }

  template <int kVectors>
  static void gather_pixel(const A* const* grads, int64_t grad_pitch, const A* const* weights, A* out,
                           int64_t out_pitch, const CauShape& shape, int64_t j, int64_t c) {
    const int64_t parts = shape.scale * shape.scale;
    const int64_t side = shape.window / 2;
    Vector sum[kVectors] = {};
    for (int64_t a = 0; a < shape.window; ++a) {
      if (weights[a] == nullptr) continue;
      for (int64_t b = 0; b < shape.window; ++b) {
        const int64_t column = j + side - b;
        if (column < 0 || column >= shape.width) continue;
        const A* weight = weights[a] + (a * shape.window + b) * parts * shape.padded + side + column;
        for (int64_t u = 0; u < shape.scale; ++u) {
          const A* pixel = grads[a * shape.scale + u] + column * shape.scale * grad_pitch + c;
          for (int64_t v = 0; v < shape.scale; ++v, weight += shape.padded, pixel += grad_pitch) {
            const A w = *weight;
#pragma GCC unroll 8
            for (int k = 0; k < kVectors; ++k) {
              Vector g;
              load(g, pixel + k * kLanes);
              sum[k] += w * g;
            }
          }
        }
      }
    }
#pragma GCC unroll 8
    for (int k = 0; k < kVectors; ++k) store(out + j * out_pitch + c + k * kLanes, sum[k]);
  }

  static void gather_pixels(const A* const* grads, int64_t grad_pitch, const A* const* weights, A* out,
                            int64_t out_pitch, const CauShape& shape) {
    int64_t c = 0;
    for (; c + 8 * kLanes <= shape.channels; c += 8 * kLanes) {
      for (int64_t j = 0; j < shape.width; ++j) gather_pixel<8>(grads, grad_pitch, weights, out, out_pitch, shape, j, c);
    }
    for (; c < shape.channels; c += kLanes) {
      for (int64_t j = 0; j < shape.width; ++j) gather_pixel<1>(grads, grad_pitch, weights, out, out_pitch, shape, j, c);
    }
  }

  static constexpr CauRows<A> table() {
    return {softmax, reassemble, correlate, softmax_backward, gather, reassemble_pixels, correlate_pixels, gather_pixels};
  }
};

}  // namespace

const CauTables CAU_ROWS{Rows<float>::table(), Rows<double>::table()};

}  // namespace vision_native
