// Body of the work on channels; included by one file for each instruction set, which names the tables (DEFORM_KERNELS).
#pragma GCC optimize("no-math-errno", "no-trapping-math")

namespace vision_native {
namespace {

constexpr int kLanes = static_cast<int>(kDeformLanes);

template <typename A>
struct Kernels {
  typedef A Vector __attribute__((vector_size(kLanes * sizeof(A))));

  static inline void load(Vector& into, const A* from) { __builtin_memcpy(&into, from, sizeof(Vector)); }
  static inline void store(A* into, const Vector& from) { __builtin_memcpy(into, &from, sizeof(Vector)); }

  static void sample(const A* const (&corners)[4], const A (&weights)[4], int64_t count, A* out) {
    const A *a = corners[0], *b = corners[1], *c = corners[2], *d = corners[3];
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      Vector first, second, third, fourth;
      load(first, a + i);
      load(second, b + i);
      load(third, c + i);
      load(fourth, d + i);
      store(out + i, (first * weights[0] + second * weights[1]) + (third * weights[2] + fourth * weights[3]));
    }
    for (; i < count; ++i) out[i] = (a[i] * weights[0] + b[i] * weights[1]) + (c[i] * weights[2] + d[i] * weights[3]);
  }

  static void correlate(const A* const (&corners)[4], const A* grad, int64_t count, A (&sums)[4]) {
    Vector sum[4] = {};
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      Vector slope;
      load(slope, grad + i);
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        Vector pixel;
        load(pixel, corners[k] + i);
        sum[k] += pixel * slope;
      }
    }
    for (int k = 0; k < 4; ++k) {
      A lanes[kLanes];
      store(lanes, sum[k]);
      for (int step = kLanes / 2; step > 0; step /= 2) {
        for (int lane = 0; lane < step; ++lane) lanes[lane] += lanes[lane + step];
      }
      for (int64_t j = i; j < count; ++j) lanes[0] += corners[k][j] * grad[j];
      sums[k] = lanes[0];
    }
  }

  static void scatter(A* const (&corners)[4], const A (&weights)[4], const A* grad, int64_t count) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      Vector slope;
      load(slope, grad + i);
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        Vector before;
        load(before, corners[k] + i);
        store(corners[k] + i, before + slope * weights[k]);
      }
    }
    for (; i < count; ++i) {
      for (int k = 0; k < 4; ++k) corners[k][i] += grad[i] * weights[k];
    }
  }

  static constexpr DeformKernels<A> table() { return {sample, correlate, scatter}; }
};

}  // namespace

const DeformTables DEFORM_KERNELS{Kernels<float>::table(), Kernels<double>::table()};

}  // namespace vision_native
