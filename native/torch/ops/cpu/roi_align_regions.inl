// Body of RoIAlign's sums; included by one file for each instruction set, which names the tables (ROI_KERNELS).
#pragma GCC optimize("no-math-errno", "no-trapping-math")

namespace vision_native {
namespace {

constexpr int kLanes = static_cast<int>(kRoiLanes);

template <typename A>
struct Kernels {
  using Word = std::conditional_t<sizeof(A) == 4, int32_t, int64_t>;
  typedef A Vector __attribute__((vector_size(kLanes * sizeof(A))));
  typedef Word Words __attribute__((vector_size(kLanes * sizeof(A))));

  static inline void load(Vector& into, const A* from) { __builtin_memcpy(&into, from, sizeof(Vector)); }
  static inline void store(A* into, const Vector& from) { __builtin_memcpy(into, &from, sizeof(Vector)); }

  /// Rows become columns, 8 × 8.
  static inline void transpose(Vector (&v)[kLanes]) {
    Vector a[kLanes];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      a[2 * i] = __builtin_shuffle(v[2 * i], v[2 * i + 1], Words{0, 8, 2, 10, 4, 12, 6, 14});
      a[2 * i + 1] = __builtin_shuffle(v[2 * i], v[2 * i + 1], Words{1, 9, 3, 11, 5, 13, 7, 15});
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
#pragma GCC unroll 2
      for (int k = 0; k < 2; ++k) {
        v[i + k] = __builtin_shuffle(a[i + k], a[i + k + 2], Words{0, 1, 8, 9, 4, 5, 12, 13});
        v[i + k + 2] = __builtin_shuffle(a[i + k], a[i + k + 2], Words{2, 3, 10, 11, 6, 7, 14, 15});
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      a[i] = __builtin_shuffle(v[i], v[i + 4], Words{0, 1, 2, 3, 8, 9, 10, 11});
      a[i + 4] = __builtin_shuffle(v[i], v[i + 4], Words{4, 5, 6, 7, 12, 13, 14, 15});
    }
#pragma GCC unroll 8
    for (int i = 0; i < kLanes; ++i) v[i] = a[i];
  }

  /// Sums over the rows of a bin, for each column that is read.
  static inline void sum_rows(const A* plane, const RoiWeights<A>& weights, const RoiShape& shape, int64_t bin, A* sums) {
    const int32_t begin = weights.rows.begins[bin], end = weights.rows.begins[bin + 1];
    const int32_t* rows = weights.rows.pixels.data();
    const A* by = weights.rows.weights.data();
    if (weights.first < 0) {
      for (int64_t j = 0; j < weights.padded; ++j) sums[j] = A(0);
      const int64_t count = static_cast<int64_t>(weights.picked.size());
      for (int32_t t = begin; t < end; ++t) {
        const A* row = plane + rows[t] * shape.width;
        for (int64_t j = 0; j < count; ++j) sums[j] += by[t] * row[weights.picked[j]];
      }
      return;
    }
    const A* from = plane + weights.first;
    for (int64_t j = 0; j < weights.padded; j += kLanes) {
      Vector sum{};
      for (int32_t t = begin; t < end; ++t) {
        Vector pixels;
        load(pixels, from + rows[t] * shape.width + j);
        sum += pixels * by[t];
      }
      store(sums + j, sum);
    }
  }

  static void pool_plane(const A* plane, const RoiWeights<A>& weights, const RoiShape& shape, A* out, A* scratch) {
    const int64_t bins = shape.pooled_height * shape.pooled_width;
    A* sums = scratch;
    A* turned = sums + kLanes * weights.padded;
    A* made = turned + kLanes * weights.padded;
    const int32_t* begins = weights.columns.begins.data();
    const int32_t* places = weights.places.data();
    const A* by = weights.columns.weights.data();
    for (int64_t top = 0; top < shape.pooled_height; top += kLanes) {
      const int64_t lines = std::min<int64_t>(kLanes, shape.pooled_height - top);
      for (int64_t i = 0; i < lines; ++i) {
        sum_rows(plane, weights, shape, top + i, sums + i * weights.padded);
      }
      for (int64_t j = 0; j < weights.padded; j += kLanes) {
        Vector block[kLanes] = {};
        for (int64_t i = 0; i < lines; ++i) load(block[i], sums + i * weights.padded + j);
        transpose(block);
#pragma GCC unroll 8
        for (int i = 0; i < kLanes; ++i) store(turned + (j + i) * kLanes, block[i]);
      }
      for (int64_t left = 0; left < shape.pooled_width; left += kLanes) {
        const int64_t columns = std::min<int64_t>(kLanes, shape.pooled_width - left);
        Vector block[kLanes] = {};
        for (int64_t i = 0; i < columns; ++i) {
          Vector sum{};
          for (int32_t t = begins[left + i]; t < begins[left + i + 1]; ++t) {
            Vector lane;
            load(lane, turned + places[t] * kLanes);
            sum += lane * by[t];
          }
          block[i] = sum;
        }
        transpose(block);
        for (int64_t i = 0; i < lines; ++i) {
          A* to = out + (top + i) * shape.pooled_width + left;
          // A whole vector may reach into bins that are written after it, never beyond the plane.
          if (columns == shape.pooled_width && (top + i) * shape.pooled_width + kLanes <= bins) {
            store(to, block[i]);
          } else {
            store(made, block[i]);
            for (int64_t k = 0; k < columns; ++k) to[k] = made[k];
          }
        }
      }
    }
  }

  static void spread_plane(const A* grad, const RoiWeights<A>& weights, const RoiShape& shape, A* plane, A* scratch) {
    A* turned = scratch;
    A* sums = turned + kLanes * weights.padded;
    A* bins = sums + kLanes * weights.padded;
    const int32_t* begins = weights.columns.begins.data();
    const int32_t* places = weights.places.data();
    const A* by = weights.columns.weights.data();
    for (int64_t top = 0; top < shape.pooled_height; top += kLanes) {
      const int64_t lines = std::min<int64_t>(kLanes, shape.pooled_height - top);
      // Lanes are rows of bins.
      for (int64_t i = 0; i < shape.pooled_width; ++i) {
        for (int64_t k = 0; k < kLanes; ++k) {
          bins[i * kLanes + k] = k < lines ? grad[(top + k) * shape.pooled_width + i] : A(0);
        }
      }
      for (int64_t j = 0; j < kLanes * weights.padded; ++j) turned[j] = A(0);
      for (int64_t i = 0; i < shape.pooled_width; ++i) {
        Vector slope;
        load(slope, bins + i * kLanes);
        for (int32_t t = begins[i]; t < begins[i + 1]; ++t) {
          Vector lane;
          load(lane, turned + places[t] * kLanes);
          store(turned + places[t] * kLanes, lane + slope * by[t]);
        }
      }
      for (int64_t j = 0; j < weights.padded; j += kLanes) {
        Vector block[kLanes];
#pragma GCC unroll 8
        for (int i = 0; i < kLanes; ++i) load(block[i], turned + (j + i) * kLanes);
        transpose(block);
        for (int64_t i = 0; i < lines; ++i) store(sums + i * weights.padded + j, block[i]);
      }
      for (int64_t i = 0; i < lines; ++i) add_rows(sums + i * weights.padded, weights, shape, top + i, plane);
    }
  }

  static inline void add_rows(const A* sums, const RoiWeights<A>& weights, const RoiShape& shape, int64_t bin, A* plane) {
    for (int32_t t = weights.rows.begins[bin]; t < weights.rows.begins[bin + 1]; ++t) {
      A* row = plane + weights.rows.pixels[t] * shape.width;
      const A by = weights.rows.weights[t];
      if (weights.first < 0) {
        for (size_t j = 0; j < weights.picked.size(); ++j) row[weights.picked[j]] += by * sums[j];
        continue;
      }
      row += weights.first;
      for (int64_t j = 0; j < weights.padded; j += kLanes) {
        Vector before, sum;
        load(before, row + j);
        load(sum, sums + j);
        store(row + j, before + sum * by);
      }
    }
  }

  template <int kVectors>
  static inline void pool_bin(const A* image, const RoiWeights<A>& weights, const RoiShape& shape, int64_t y, int64_t x,
                              A* out) {
    Vector sum[kVectors] = {};
    for (int32_t r = weights.rows.begins[y]; r < weights.rows.begins[y + 1]; ++r) {
      const A* row = image + weights.rows.pixels[r] * shape.width * shape.channels;
      for (int32_t c = weights.columns.begins[x]; c < weights.columns.begins[x + 1]; ++c) {
        const A weight = weights.rows.weights[r] * weights.columns.weights[c];
        const A* pixel = row + weights.columns.pixels[c] * shape.channels;
#pragma GCC unroll 8
        for (int k = 0; k < kVectors; ++k) {
          Vector values;
          load(values, pixel + k * kLanes);
          sum[k] += values * weight;
        }
      }
    }
#pragma GCC unroll 8
    for (int k = 0; k < kVectors; ++k) store(out + k * kLanes, sum[k]);
  }

  static void pool_channels(const A* image, const RoiWeights<A>& weights, const RoiShape& shape, A* out) {
    for (int64_t y = 0; y < shape.pooled_height; ++y) {
      for (int64_t x = 0; x < shape.pooled_width; ++x, out += shape.channels) {
        int64_t c = 0;
        for (; c + 8 * kLanes <= shape.channels; c += 8 * kLanes) pool_bin<8>(image + c, weights, shape, y, x, out + c);
        for (; c + kLanes <= shape.channels; c += kLanes) pool_bin<1>(image + c, weights, shape, y, x, out + c);
        if (c == shape.channels) continue;
        for (int64_t k = c; k < shape.channels; ++k) out[k] = A(0);
        for (int32_t r = weights.rows.begins[y]; r < weights.rows.begins[y + 1]; ++r) {
          for (int32_t t = weights.columns.begins[x]; t < weights.columns.begins[x + 1]; ++t) {
            const A weight = weights.rows.weights[r] * weights.columns.weights[t];
            const A* pixel =
                image + (weights.rows.pixels[r] * shape.width + weights.columns.pixels[t]) * shape.channels;
            for (int64_t k = c; k < shape.channels; ++k) out[k] += weight * pixel[k];
          }
        }
      }
    }
  }

  static void spread_channels(const A* grad, int64_t channel, int64_t count, const RoiWeights<A>& weights,
                              const RoiShape& shape, A* image) {
    for (int64_t y = 0; y < shape.pooled_height; ++y) {
      for (int64_t x = 0; x < shape.pooled_width; ++x) {
        const A* __restrict slope = grad + (y * shape.pooled_width + x) * shape.channels + channel;
        for (int32_t r = weights.rows.begins[y]; r < weights.rows.begins[y + 1]; ++r) {
          for (int32_t t = weights.columns.begins[x]; t < weights.columns.begins[x + 1]; ++t) {
            const A weight = weights.rows.weights[r] * weights.columns.weights[t];
            A* __restrict pixel = image +
                                  (weights.rows.pixels[r] * shape.width + weights.columns.pixels[t]) * shape.channels +
                                  channel;
            for (int64_t k = 0; k < count; ++k) pixel[k] += weight * slope[k];
          }
        }
      }
    }
  }

  static constexpr RoiKernels<A> table() { return {pool_plane, spread_plane, pool_channels, spread_channels}; }
};

}  // namespace

const RoiTables ROI_KERNELS{Kernels<float>::table(), Kernels<double>::table()};

}  // namespace vision_native
