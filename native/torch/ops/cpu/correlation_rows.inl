// Body of the row functions; included by one file for each instruction set, which names the tables (CORRELATION_ROWS).
#pragma GCC optimize("no-math-errno", "no-trapping-math")

namespace vision_native {
namespace {

constexpr int kLanes = static_cast<int>(kCorrelationLanes);

template <typename A>
struct Rows {
  typedef A Vector __attribute__((vector_size(kLanes * sizeof(A))));

  static inline void load(Vector& into, const A* from) { __builtin_memcpy(&into, from, sizeof(Vector)); }
  static inline void store(A* into, const Vector& from) { __builtin_memcpy(into, &from, sizeof(Vector)); }

  template <int kShifts>
  static void correlate_some(const A* first, int64_t first_pitch, const A* second, int64_t second_pitch,
                             int64_t channels, int64_t columns, int64_t step, A* sums, int64_t sums_pitch) {
    for (int64_t x = 0; x < columns; x += kLanes) {
      Vector sum[kShifts];
#pragma GCC unroll 9
      for (int p = 0; p < kShifts; ++p) load(sum[p], sums + p * sums_pitch + x);
      for (int64_t c = 0; c < channels; ++c) {
        const A* row = second + c * second_pitch + x;
        Vector f;
        load(f, first + c * first_pitch + x);
#pragma GCC unroll 9
        for (int p = 0; p < kShifts; ++p) {
          Vector s;
          load(s, row + p * step);
          sum[p] += f * s;
        }
      }
#pragma GCC unroll 9
      for (int p = 0; p < kShifts; ++p) store(sums + p * sums_pitch + x, sum[p]);
    }
  }

  static void correlate(const A* first, int64_t first_pitch, const A* second, int64_t second_pitch, int64_t channels,
                        int64_t columns, int64_t shifts, int64_t step, A* sums, int64_t sums_pitch) {
    int64_t p = 0;
    for (; p + 9 <= shifts; p += 9) {
      correlate_some<9>(first, first_pitch, second + p * step, second_pitch, channels, columns, step,
                        sums + p * sums_pitch, sums_pitch);
    }
    for (; p + 3 <= shifts; p += 3) {
      correlate_some<3>(first, first_pitch, second + p * step, second_pitch, channels, columns, step,
                        sums + p * sums_pitch, sums_pitch);
    }
    for (; p < shifts; ++p) {
      correlate_some<1>(first, first_pitch, second + p * step, second_pitch, channels, columns, step,
                        sums + p * sums_pitch, sums_pitch);
    }
  }

  template <int kChannels>
  static void spread_some(const A* grads, int64_t grad_step, const A* maps, int64_t maps_pitch, int64_t step,
                          int64_t columns, int64_t shifts, A* out, int64_t out_pitch) {
    for (int64_t x = 0; x < columns; x += kLanes) {
      Vector sum[kChannels];
#pragma GCC unroll 8
      for (int c = 0; c < kChannels; ++c) load(sum[c], out + c * out_pitch + x);
      for (int64_t p = 0; p < shifts; ++p) {
        const A* row = maps + p * step + x;
        Vector g;
        load(g, grads + p * grad_step + x);
#pragma GCC unroll 8
        for (int c = 0; c < kChannels; ++c) {
          Vector m;
          load(m, row + c * maps_pitch);
          sum[c] += g * m;
        }
      }
#pragma GCC unroll 8
      for (int c = 0; c < kChannels; ++c) store(out + c * out_pitch + x, sum[c]);
    }
  }

  static void spread(const A* grads, int64_t grad_step, const A* maps, int64_t maps_pitch, int64_t step,
                     int64_t channels, int64_t columns, int64_t shifts, A* out, int64_t out_pitch) {
    int64_t c = 0;
    for (; c + 8 <= channels; c += 8) {
      spread_some<8>(grads, grad_step, maps + c * maps_pitch, maps_pitch, step, columns, shifts, out + c * out_pitch,
                     out_pitch);
    }
    for (; c < channels; ++c) {
      spread_some<1>(grads, grad_step, maps + c * maps_pitch, maps_pitch, step, columns, shifts, out + c * out_pitch,
                     out_pitch);
    }
  }

  static constexpr CorrelationRows<A> table() { return {correlate, spread}; }
};

}  // namespace

const CorrelationTables CORRELATION_ROWS{Rows<float>::table(), Rows<double>::table()};

}  // namespace vision_native
