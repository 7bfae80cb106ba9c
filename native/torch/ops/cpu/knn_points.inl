// Body of the scans of point clouds; included by one file for each instruction set, which names the tables (POINT_SCANS) and
// says how wide its vectors are (POINT_BITS).
// Nothing is contracted to fused multiply-adds, so that all give the same bits.
#pragma GCC optimize("fp-contract=off", "no-trapping-math")

namespace vision_native {
namespace {

#if POINT_BITS == 512
constexpr int kBytes = 64;
#elif POINT_BITS == 256
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

template <typename A>
struct Whole;
template <>
struct Whole<float> {
  using Type = int32_t;
};
template <>
struct Whole<double> {
  using Type = int64_t;
};

template <typename A>
struct Points {
  using Key = typename KeyOf<A>::Key;
  using Int = typename Whole<A>::Type;
  static constexpr int kLanes = kBytes / sizeof(A);
  typedef A Vector __attribute__((vector_size(kBytes)));
  typedef Int Mask __attribute__((vector_size(kBytes)));

  static inline Vector load(const A* from) {
    Vector v;
    __builtin_memcpy(&v, from, kBytes);
    return v;
  }
  static inline void store(A* to, Vector v) { __builtin_memcpy(to, &v, kBytes); }
  static inline Vector all(A value) { return value - Vector{}; }

  /// A bit for each lane at which a < b.
  static inline uint32_t below(Vector a, Vector b) {
#if POINT_BITS == 512
    if constexpr (sizeof(A) == 4) {
      return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ);
    } else {
      return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ);
    }
#elif POINT_BITS == 256
    const Mask m = a < b;
    if constexpr (sizeof(A) == 4) {
      return static_cast<uint32_t>(_mm256_movemask_ps((__m256)m));
    } else {
      return static_cast<uint32_t>(_mm256_movemask_pd((__m256d)m));
    }
#else
    uint32_t bits = 0;
    for (int i = 0; i < kLanes; ++i) bits |= static_cast<uint32_t>(a[i] < b[i]) << i;
    return bits;
#endif
  }

  static inline uint32_t at_most(Vector a, Vector b) {
#if POINT_BITS == 512
    if constexpr (sizeof(A) == 4) {
      return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LE_OQ);
    } else {
      return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LE_OQ);
    }
#elif POINT_BITS == 256
    const Mask m = a <= b;
    if constexpr (sizeof(A) == 4) {
      return static_cast<uint32_t>(_mm256_movemask_ps((__m256)m));
    } else {
      return static_cast<uint32_t>(_mm256_movemask_pd((__m256d)m));
    }
#else
    uint32_t bits = 0;
    for (int i = 0; i < kLanes; ++i) bits |= static_cast<uint32_t>(a[i] <= b[i]) << i;
    return bits;
#endif
  }

  /// A bit for each lane at which a >= b does not hold: NaN is among them.
  static inline uint32_t not_at_least(Vector a, Vector b) {
#if POINT_BITS == 512
    if constexpr (sizeof(A) == 4) {
      return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_NGE_UQ);
    } else {
      return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_NGE_UQ);
    }
#elif POINT_BITS == 256
    const Mask m = ~(a >= b);
    if constexpr (sizeof(A) == 4) {
      return static_cast<uint32_t>(_mm256_movemask_ps((__m256)m));
    } else {
      return static_cast<uint32_t>(_mm256_movemask_pd((__m256d)m));
    }
#else
    uint32_t bits = 0;
    for (int i = 0; i < kLanes; ++i) bits |= static_cast<uint32_t>(!(a[i] >= b[i])) << i;
    return bits;
#endif
  }

  template <int kDims>
  static inline Vector distances(const Cloud<A>& cloud, int64_t i, const A* query) {
    Vector step = load(cloud.data + i) - query[0];
    Vector sum = step * step;
    const int64_t dims = kDims > 0 ? kDims : cloud.dims;
#pragma GCC unroll 4
    for (int64_t d = 1; d < dims; ++d) {
      step = load(cloud.data + d * cloud.stride + i) - query[d];
      sum += step * step;
    }
    return sum;
  }

  static inline Mask lane_numbers() {
    Mask m;
    for (int i = 0; i < kLanes; ++i) m[i] = i;
    return m;
  }

  template <int kDims>
  static int64_t nearest_of(const Cloud<A>& cloud, const A* query, A* distance) {
    Vector best = all(__builtin_inf());
    Mask at = Mask{} - 1, index = lane_numbers();
    for (int64_t i = 0; i < cloud.stride; i += kLanes) {
      const Vector d = distances<kDims>(cloud, i, query);
      const Mask less = d < best;
      best = less ? d : best;
      at = less ? index : at;
      index += kLanes;
    }
    int64_t found = -1;
    for (int lane = 0; lane < kLanes; ++lane) {
      if (at[lane] < 0) continue;
      if (found < 0 || best[lane] < *distance || (best[lane] == *distance && at[lane] < found)) {
        *distance = best[lane];
        found = at[lane];
      }
    }
    return found;
  }

  static int64_t nearest(const Cloud<A>& cloud, const A* query, A* distance) {
    switch (cloud.dims) {
      case 2: return nearest_of<2>(cloud, query, distance);
      case 3: return nearest_of<3>(cloud, query, distance);
      default: return nearest_of<0>(cloud, query, distance);
    }
  }

  /// A number which at least `k` of the distances, and few more, are not above.
  static A bound_of(const A* distances, int64_t k, int64_t count) {
    using Bits = typename KeyOf<A>::Bits;
    Bits low = 0, high = bits_of(static_cast<A>(__builtin_inf()));
    // Numbers that are not below 0 are in the order of their bits.
    for (int step = 0; step < 16 && low < high; ++step) {
      const Bits middle = low + (high - low) / 2;
      const Vector limit = all(value_of<A>(middle));
      int64_t below = 0;
      for (int64_t i = 0; i < count; i += kLanes) below += __builtin_popcount(at_most(load(distances + i), limit));
      if (below < k) {
        low = middle + 1;
        continue;
      }
      high = middle;
      if (below - k <= k / 8) break;
    }
    return value_of<A>(high);
  }

  /// Puts the k smallest keys first in order; of few, each by the number of those before it.
  static void order(Neighbours<A>& found) {
    constexpr int64_t kFew = 96;
    if constexpr (sizeof(A) == 4) {
      if (found.count <= kFew) {
        int64_t keys[kFew];
        const int64_t count = found.count;
        __builtin_memcpy(keys, found.keys, count * sizeof(int64_t));
        for (int64_t i = 0; i < count; ++i) {
          int64_t rank = 0;
          for (int64_t j = 0; j < count; ++j) rank += keys[j] < keys[i];
          found.keys[rank] = keys[i];
        }
        found.count = found.k;
        return;
      }
    }
    found.order(found.keys, found.k, found.count);
    found.count = found.k;
  }

  /// The least distances of groups of points bound the k-th of all; few are not above the bound. Returns how many points
  /// were looked at: all or none of the first kBoundedPoints.
  template <int kDims>
  static int64_t bounded(const Cloud<A>& cloud, const A* query, Neighbours<A>& found) {
    const int64_t groups = (4 * found.k + 64) / kPointLanes * kPointLanes;
    const int64_t points = cloud.stride < kBoundedPoints ? cloud.stride : kBoundedPoints;
    if (points < 4 * groups) return 0;
    A* const minima = found.scratch + kBoundedPoints;
    for (int64_t group = 0; group < groups; group += kLanes) store(minima + group, all(__builtin_inf()));
    for (int64_t start = 0; start < points; start += groups) {
      const int64_t width = points - start < groups ? points - start : groups;
      for (int64_t group = 0; group < width; group += kLanes) {
        const Vector d = distances<kDims>(cloud, start + group, query);
        store(found.scratch + start + group, d);
        const Vector least = load(minima + group);
        store(minima + group, d < least ? d : least);
      }
    }
    const A bound = bound_of(minima, found.k, groups);
    if (!(bound < static_cast<A>(__builtin_inf()))) return 0;
    const Vector bounds = all(bound);
    for (int64_t i = 0; i < points; i += kPointLanes) {
      uint32_t bits = 0;
#pragma GCC unroll 8
      for (int part = 0; part < kPointLanes / kLanes; ++part) {
        bits |= at_most(load(found.scratch + i + part * kLanes), bounds) << (part * kLanes);
      }
      for (; bits != 0; bits &= bits - 1) {
        const int64_t at = i + __builtin_ctz(bits);
        found.keys[found.count++] = near_key(found.scratch[at], static_cast<uint32_t>(at));
        if (found.count < found.capacity) continue;
        found.cut(found.keys, found.k, found.count);
        found.count = found.k;
      }
    }
    order(found);
    found.limit = distance_of<A>(found.keys[found.k - 1]);
    return points;
  }

  template <int kDims>
  static void neighbours_of(const Cloud<A>& cloud, const A* query, Neighbours<A>& found) {
    for (int64_t i = bounded<kDims>(cloud, query, found); i < cloud.stride; i += kPointLanes) {
      Vector d[kPointLanes / kLanes];
      uint32_t bits = 0;
#pragma GCC unroll 8
      for (int part = 0; part < kPointLanes / kLanes; ++part) {
        d[part] = distances<kDims>(cloud, i + part * kLanes, query);
        bits |= below(d[part], all(found.limit)) << (part * kLanes);
      }
      if (bits == 0) continue;
      A values[kPointLanes];
#pragma GCC unroll 8
      for (int part = 0; part < kPointLanes / kLanes; ++part) store(values + part * kLanes, d[part]);
      for (; bits != 0; bits &= bits - 1) found.offer(values[__builtin_ctz(bits)], i + __builtin_ctz(bits));
    }
  }

  static void neighbours(const Cloud<A>& cloud, const A* query, Neighbours<A>& found) {
    switch (cloud.dims) {
      case 2: return neighbours_of<2>(cloud, query, found);
      case 3: return neighbours_of<3>(cloud, query, found);
      default: return neighbours_of<0>(cloud, query, found);
    }
  }

  template <int kDims>
  static int64_t ball_of(const Cloud<A>& cloud, const A* query, A squared_radius, int64_t samples, int64_t* indices) {
    int64_t count = 0;
    const Vector limit = all(squared_radius);
    for (int64_t i = 0; i < cloud.stride; i += kPointLanes) {
      uint32_t bits = 0;
#pragma GCC unroll 8
      for (int part = 0; part < kPointLanes / kLanes; ++part) {
        bits |= below(distances<kDims>(cloud, i + part * kLanes, query), limit) << (part * kLanes);
      }
      for (; bits != 0; bits &= bits - 1) {
        indices[count++] = i + __builtin_ctz(bits);
        if (count == samples) return count;
      }
    }
    return count;
  }

  static int64_t ball(const Cloud<A>& cloud, const A* query, A squared_radius, int64_t samples, int64_t* indices) {
    return cloud.dims == 3 ? ball_of<3>(cloud, query, squared_radius, samples, indices)
                           : ball_of<0>(cloud, query, squared_radius, samples, indices);
  }

  template <int kDims>
  static int64_t furthest_of(const Cloud<A>& cloud, const A* point, A* distances_to_set) {
    Vector best = all(-__builtin_inf());
    Mask at = Mask{} - 1, index = lane_numbers();
    for (int64_t i = 0; i < cloud.stride; i += kLanes) {
      const Vector d = distances<kDims>(cloud, i, point);
      Vector m = load(distances_to_set + i);
      m = d < m ? d : m;
      store(distances_to_set + i, m);
      const Mask more = m > best;
      best = more ? m : best;
      at = more ? index : at;
      index += kLanes;
    }
    int64_t found = -1;
    A largest = 0;
    for (int lane = 0; lane < kLanes; ++lane) {
      if (at[lane] < 0) continue;
      if (found < 0 || best[lane] > largest || (best[lane] == largest && at[lane] < found)) {
        largest = best[lane];
        found = at[lane];
      }
    }
    return found;
  }

  static int64_t furthest(const Cloud<A>& cloud, const A* point, A* distances_to_set) {
    return cloud.dims == 3 ? furthest_of<3>(cloud, point, distances_to_set)
                           : furthest_of<0>(cloud, point, distances_to_set);
  }

  // ---- Rows ---------------------------------------------------------------------------------------------------------

  static constexpr int kSums = 16;

  template <bool kLength>
  static A sum_of_squares(const A* a, const A* b, int64_t dims) {
    Vector sums[kSums / kLanes] = {};
    int64_t d = 0;
    for (; d + kSums <= dims; d += kSums) {
#pragma GCC unroll 8
      for (int part = 0; part < kSums / kLanes; ++part) {
        Vector step = load(a + d + part * kLanes);
        if constexpr (!kLength) step -= load(b + d + part * kLanes);
        sums[part] += step * step;
      }
    }
    A apart[kSums];
    for (int part = 0; part < kSums / kLanes; ++part) store(apart + part * kLanes, sums[part]);
    for (int lane = 0; d < dims; ++d, ++lane) {
      const A step = kLength ? a[d] : a[d] - b[d];
      apart[lane] += step * step;
    }
    for (int half = kSums / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; ++lane) apart[lane] += apart[lane + half];
    }
    return apart[0];
  }

  static A distance(const A* a, const A* b, int64_t dims) { return sum_of_squares<false>(a, b, dims); }
  static A length(const A* a, int64_t dims) { return sum_of_squares<true>(a, a, dims); }

  static int64_t candidates(const A* products, const A* lengths, A length, int64_t count, A limit, A error,
                            int32_t* places) {
    int64_t found = 0;
    int64_t i = 0;
    const Vector limits = all(limit);
    const A rest = A(1) - error;
    for (; i + kLanes <= count; i += kLanes) {
      const Vector low = (load(lengths + i) + length) * rest - A(2) * load(products + i);
      uint32_t bits = not_at_least(low, limits);
      for (; bits != 0; bits &= bits - 1) places[found++] = static_cast<int32_t>(i + __builtin_ctz(bits));
    }
    for (; i < count; ++i) {
      const A low = (lengths[i] + length) * rest - A(2) * products[i];
      if (!(low >= limit)) places[found++] = static_cast<int32_t>(i);
    }
    return found;
  }

  static constexpr PointScans<A> table() {
    return {nearest, neighbours, ball, furthest, distance, length, candidates};
  }
};

}  // namespace

const PointTables POINT_SCANS{Points<float>::table(), Points<double>::table()};

}  // namespace vision_native
