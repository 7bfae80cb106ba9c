// Body of the sweeps of suppression; included by one file for each instruction set, which names the tables (NMS_SWEEPS)
// and the width of a vector (NMS_VECTOR_BYTES). No expression is contracted, so that every width gives the same bits.
#pragma GCC optimize("no-math-errno", "no-trapping-math")

namespace vision_native {
namespace {

template <typename T>
struct Sweeps {
  using Word = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  typedef T Vector __attribute__((vector_size(NMS_VECTOR_BYTES)));
  typedef Word Words __attribute__((vector_size(NMS_VECTOR_BYTES)));
  static constexpr int kLanes = NMS_VECTOR_BYTES / sizeof(T);

  static inline void load(Vector& into, const T* from) { __builtin_memcpy(&into, from, sizeof(Vector)); }

  static inline bool any(const Words& mask) {
#if NMS_VECTOR_BYTES == 64
    typedef long long Quads __attribute__((vector_size(64)));
    return __builtin_ia32_ptestmq512((Quads)mask, (Quads)mask, 0xff) != 0;
#elif NMS_VECTOR_BYTES == 32
    typedef long long Quads __attribute__((vector_size(32)));
    return __builtin_ia32_ptestz256((Quads)mask, (Quads)mask) == 0;
#else
    typedef char Bytes __attribute__((vector_size(16)));
    return __builtin_ia32_pmovmskb128((Bytes)mask) != 0;
#endif
  }

  struct Pair {
    Vector inside, either;
  };

  /// Intersections and unions of a box with those from place `i` on.
  static inline Pair overlap(const NmsColumns<T>& boxes, int64_t i, const Vector (&box)[5], bool box_first) {
    Vector x1, y1, x2, y2, area;
    load(x1, boxes.column(0) + i);
    load(y1, boxes.column(1) + i);
    load(x2, boxes.column(2) + i);
    load(y2, boxes.column(3) + i);
    load(area, boxes.column(4) + i);
    Vector left, top, right, bottom;
    if (box_first) {
      left = box[0] < x1 ? x1 : box[0];
      top = box[1] < y1 ? y1 : box[1];
      right = x2 < box[2] ? x2 : box[2];
      bottom = y2 < box[3] ? y2 : box[3];
    } else {
      left = x1 < box[0] ? box[0] : x1;
      top = y1 < box[1] ? box[1] : y1;
      right = box[2] < x2 ? box[2] : x2;
      bottom = box[3] < y2 ? box[3] : y2;
    }
    const Vector none{};
    Vector width = right - left, height = bottom - top;
    width = none < width ? width : none;
    height = none < height ? height : none;
    const Vector inside = width * height;
    return {inside, area + box[4] - inside};
  }

  static inline void spread(const NmsBox<T>& box, Vector (&into)[5]) {
    const T values[5] = {box.x1, box.y1, box.x2, box.y2, box.area};
    for (int k = 0; k < 5; ++k) into[k] = values[k] - Vector{};
  }

  static bool covers(const NmsColumns<T>& kept, int64_t first, const NmsBox<T>& box, T threshold) {
    Vector wide[5];
    spread(box, wide);
    for (int64_t i = first; i < kept.size(); i += kLanes) {
      const Pair pair = overlap(kept, i, wide, false);
      // Most boxes are apart; divisions cost more than all else.
      if (!any(pair.inside > Vector{})) continue;
      if (any(pair.inside / pair.either > threshold)) return true;
    }
    return false;
  }

  static inline Vector weight_linear(const Vector& overlap, T threshold) {
    return overlap >= threshold ? T(1) - overlap : T(1) - Vector{};
  }

  /// exp(−overlap²·rate); relative error below 2⁻²²·⁵ in float32. An overlap that is NaN weighs 1.
  static inline Vector weight_gaussian(const Vector& overlap, T rate) {
    Vector x = overlap > Vector{} ? overlap : Vector{};
    x = (x * x) * -rate;
    if constexpr (sizeof(T) == 4) {
      x = x < T(-88) ? T(-88) - Vector{} : x;
      const Vector shifted = x * T(1.44269504088896341) + T(12582912);
      const Vector whole = shifted - T(12582912);
      const Vector rest = (x - whole * T(0.693359375)) - whole * T(-2.12194440e-4);
      Vector p = rest * T(1.9875691500e-4) + T(1.3981999507e-3);
      p = p * rest + T(8.3334519073e-3);
      p = p * rest + T(4.1665795894e-2);
      p = p * rest + T(1.6666665459e-1);
      p = p * rest + T(5.0000001201e-1);
      const Vector value = (p * (rest * rest) + rest) + T(1);
      // Below e⁻⁸⁷ the exponent would leave the range of normal numbers.
      const Words exponent = ((Words)shifted - 0x4b400000 + 127) << 23;
      return x < T(-87) ? Vector{} : value * (Vector)exponent;
    } else {
      Vector value{};
      for (int k = 0; k < kLanes; ++k) value[k] = std::exp(x[k]);
      return value;
    }
  }

  template <bool kGaussian>
  static NmsBest<T> decay(const NmsColumns<T>& boxes, int64_t count, const NmsBox<T>& box, T* scores, T parameter,
                          T least) {
    constexpr T lowest = -std::numeric_limits<T>::infinity();
    Vector wide[5];
    spread(box, wide);
    Vector best = lowest - Vector{};
    Words place{}, own{}, left{};
    for (int k = 0; k < kLanes; ++k) own[k] = k;
    for (int64_t i = 0; i < count; i += kLanes) {
      Vector score;
      load(score, scores + i);
      const Pair pair = overlap(boxes, i, wide, true);
      if (any(pair.inside > Vector{})) {
        const Vector overlap = pair.inside / pair.either;
        score *= kGaussian ? weight_gaussian(overlap, parameter) : weight_linear(overlap, parameter);
      }
      const Words alive = score >= least;
      score = alive ? score : lowest - Vector{};
      __builtin_memcpy(scores + i, &score, sizeof(Vector));
      left -= alive;
      const Words higher = score > best;
      best = higher ? score : best;
      place = higher ? own + static_cast<Word>(i) : place;
    }
    NmsBest<T> result{lowest, 0, 0};
    for (int k = 0; k < kLanes; ++k) {
      result.left += left[k];
      if (best[k] > result.score || (best[k] == result.score && place[k] < result.index)) {
        result.score = best[k];
        result.index = place[k];
      }
    }
    return result;
  }

  static constexpr NmsSweeps<T> table() { return {covers, decay<false>, decay<true>}; }
};

}  // namespace

const NmsTables NMS_SWEEPS{Sweeps<float>::table(), Sweeps<double>::table()};

}  // namespace vision_native
