// Body of the row functions; included by one file for each instruction set, which names the tables (UPFIRDN_ROWS).
#pragma GCC optimize("no-math-errno", "no-trapping-math")

namespace vision_native {
namespace {

constexpr int kLanes = static_cast<int>(kUpfirdnLanes);

template <typename A>
struct Rows {
  typedef A Vector __attribute__((vector_size(kLanes * sizeof(A))));

  static inline void load(Vector& into, const A* from) { __builtin_memcpy(&into, from, sizeof(Vector)); }
  static inline void store(A* into, const Vector& from) { __builtin_memcpy(into, &from, sizeof(Vector)); }

  template <int kVectors>
  static void sum_some(const A* const* sources, const A* weights, int64_t count, A* out, int64_t x) {
    Vector sum[kVectors] = {};
    for (int64_t t = 0; t < count; ++t) {
      const A weight = weights[t];
      const A* source = sources[t] + x;
#pragma GCC unroll 4
      for (int k = 0; k < kVectors; ++k) {
        Vector value;
        load(value, source + k * kLanes);
        sum[k] += weight * value;
      }
    }
#pragma GCC unroll 4
    for (int k = 0; k < kVectors; ++k) store(out + x + k * kLanes, sum[k]);
  }

  static void weighted_sum(const A* const* sources, const A* weights, int64_t count, A* out, int64_t columns) {
    int64_t x = 0;
    for (; x + 4 * kLanes <= columns; x += 4 * kLanes) sum_some<4>(sources, weights, count, out, x);
    for (; x < columns; x += kLanes) sum_some<1>(sources, weights, count, out, x);
  }

  static constexpr UpfirdnRows<A> table() { return {weighted_sum}; }
};

}  // namespace

const UpfirdnTables UPFIRDN_ROWS{Rows<float>::table(), Rows<double>::table()};

}  // namespace vision_native
