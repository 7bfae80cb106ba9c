// CPU driver of upfirdn2d. Outputs whose distance is a multiple of `up` use the same taps, so rows are taken apart by their
// remainders: then every output row is a few weighted sums of rows that lie in memory as they are needed. A separable
// filter passes over the rows first and over the columns after that; each thread keeps what the next row needs too.
#include "torch/ops/upfirdn2d.h"

#include <ATen/Parallel.h>
#include <torch/library.h>

#include <numeric>
#include <vector>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/floating_rows.h"
#include "torch/ops/cpu/upfirdn2d_rows.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Output rows that a thread makes in one go.
constexpr int64_t kBand = 64;
/// Channels that lie side by side are worked on in blocks of this many, from `kFewestPixelChannels` on.
constexpr int64_t kPixelChannels = 64;
constexpr int64_t kFewestPixelChannels = 8;

int64_t whole_lanes(int64_t columns) { return (columns + kUpfirdnLanes - 1) / kUpfirdnLanes * kUpfirdnLanes; }
int64_t floor_divided(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/// Taps of an output that meet the input, and where.
struct Taps {
  int64_t first;  // the tap
  int64_t input;  // the element that it meets; the next one is met `up` taps later
  int64_t count;
};

Taps taps_of(const UpfirdnAxis& axis, int64_t output) {
  const int64_t base = output * axis.down - axis.before;
  int64_t input = std::max<int64_t>(floor_divided(base + axis.up - 1, axis.up), 0);
  const int64_t last = std::min(floor_divided(base + axis.taps - 1, axis.up), axis.size - 1);
  return {input * axis.up - base, input, std::max<int64_t>(last - input + 1, 0)};
}

template <typename A>
const UpfirdnRows<A>& rows_for() {
  const UpfirdnTables& tables = for_cpu_isa(kUpfirdnRowsScalar, kUpfirdnRowsAvx2, kUpfirdnRowsAvx512);
  if constexpr (std::is_same_v<A, double>) {
    return tables.wide;
  } else {
    return tables.narrow;
  }
}

/// Sources and weights of one sum.
template <typename A>
struct Terms {
  std::vector<const A*> sources;
  std::vector<A> weights;

  void clear() {
    sources.clear();
    weights.clear();
  }
  void add(const A* source, A weight) {
    sources.push_back(source);
    weights.push_back(weight);
  }
  void sum(const UpfirdnRows<A>& table, A* out, int64_t columns) const {
    table.weighted_sum(sources.data(), weights.data(), static_cast<int64_t>(sources.size()), out, columns);
  }
};

/// The taps along x: outputs of a phase are side by side, and so are the inputs that a tap meets, `offset` further on.
struct Phase {
  int64_t outputs;
  std::vector<std::pair<int64_t, int64_t>> taps;  // tap, offset
};

struct RowPlan {
  int64_t out_phases, in_phases, left, in_pitch, out_pitch;
  std::vector<Phase> phases;

  explicit RowPlan(const UpfirdnAxis& axis) {
    const int64_t common = std::gcd(axis.up, axis.down);
    out_phases = std::min(axis.up / common, axis.out);
    const int64_t period = axis.up / common;
    in_phases = axis.down / common;
    out_pitch = whole_lanes((axis.out + period - 1) / period);
    // Elements of phase rows before and after those that exist: outputs may look beyond both ends.
    const int64_t own = (axis.size + in_phases - 1) / in_phases;
    int64_t least = 0, most = 0;
    for (int64_t phase = 0; phase < out_phases; ++phase) {
      phases.push_back({(axis.out - phase + period - 1) / period, {}});
      const int64_t base = phase * axis.down - axis.before;
      for (int64_t input = floor_divided(base + axis.up - 1, axis.up); input * axis.up < base + axis.taps; ++input) {
        const int64_t tap = input * axis.up - base, shift = floor_divided(input, in_phases);
        // Nothing that exists is met by a tap that is always beyond an end.
        if (shift >= own || shift + out_pitch <= 0) continue;
        phases.back().taps.push_back({tap, shift});
        remainders.push_back(input - shift * in_phases);
        least = std::min(least, shift);
        most = std::max(most, shift);
      }
    }
    left = -least;
    in_pitch = left + std::max(own, most + out_pitch);
    auto remainder = remainders.begin();
    for (Phase& phase : phases) {
      for (auto& [tap, offset] : phase.taps) offset += *remainder++ * in_pitch + left;
    }
  }

 private:
  std::vector<int64_t> remainders;
};

template <typename A>
class Filter {
 public:
  Filter(const at::Tensor& x, const at::Tensor& weights, const UpfirdnOptions& options)
      : table_(rows_for<A>()),
        options_(options),
        weights_(weights.const_data_ptr<A>()),
        planar_(x),
        pixels_(x),
        samples_(x.size(0)),
        channels_(x.size(1)),
        held_rows_((options.y.taps - 1) / options.y.up + 1),
        bands_((options.y.out + kBand - 1) / kBand),
        context_(current_run_context()) {}

  /// Lanes over columns.
  void by_columns(const at::Tensor& out) const {
    const Rows4<A> result(out);
    const RowPlan plan(options_.x);
    const int64_t in_size = plan.in_phases * plan.in_pitch, out_size = plan.out_phases * plan.out_pitch;
    const int64_t held_size = options_.separable ? out_size : in_size;
    at::parallel_for(0, samples_ * channels_ * bands_, 1, [&](int64_t begin, int64_t end) {
      const Scratch<A> row(in_size, A(0)), held(held_rows_ * held_size, A(0)), made(out_size);
      Terms<A> terms;
      const auto load = [&](int64_t n, int64_t c, int64_t y, A* to) {
        A* unpacked = options_.separable ? row.data() : to;
        for (int64_t phase = 0; phase < plan.in_phases; ++phase) {
          const int64_t count = (options_.x.size - phase + plan.in_phases - 1) / plan.in_phases;
          if (count > 0) planar_.load(n, c, y, phase, plan.in_phases, count, unpacked + phase * plan.in_pitch + plan.left);
        }
        if (!options_.separable) return;
        for (int64_t phase = 0; phase < plan.out_phases; ++phase) {
          terms.clear();
          for (const auto& [tap, offset] : plan.phases[phase].taps) terms.add(unpacked + offset, weights_[tap]);
          terms.sum(table_, to + phase * plan.out_pitch, plan.out_pitch);
        }
      };
      for (int64_t item = begin; item < end && !is_cancelled(context_); ++item) {
        const int64_t c = item / bands_ % channels_, n = item / bands_ / channels_;
        const auto save = [&](int64_t y, const std::vector<const A*>& rows, const std::vector<int64_t>& taps) {
          if (options_.separable) {
            terms.clear();
            for (size_t i = 0; i < rows.size(); ++i) terms.add(rows[i], weights_[taps[i]] * gain());
            terms.sum(table_, made.data(), out_size);
          } else {
            for (int64_t phase = 0; phase < plan.out_phases; ++phase) {
              terms.clear();
              for (size_t i = 0; i < rows.size(); ++i) {
                for (const auto& [tap, offset] : plan.phases[phase].taps) {
                  terms.add(rows[i] + offset, weights_[taps[i] * options_.x.taps + tap] * gain());
                }
              }
              terms.sum(table_, made.data() + phase * plan.out_pitch, plan.out_pitch);
            }
          }
          for (int64_t phase = 0; phase < plan.out_phases; ++phase) {
            result.save(n, c, y, phase, options_.x.up / std::gcd(options_.x.up, options_.x.down),
                        plan.phases[phase].outputs, made.data() + phase * plan.out_pitch);
          }
        };
        make_band(item % bands_, held.data(), held_size, [&](int64_t y, A* to) { load(n, c, y, to); }, save);
      }
    });
    check_cancelled();
  }

  /// Lanes over channels.
  void by_channels(const at::Tensor& out) const {
    const PixelRows<A> result(out);
    const int64_t block = std::min(kPixelChannels, whole_lanes(channels_));
    const int64_t blocks = (channels_ + block - 1) / block;
    const int64_t width = options_.x.size, out_width = options_.x.out;
    const int64_t held_size = (options_.separable ? out_width : width) * block;
    at::parallel_for(0, samples_ * blocks * bands_, 1, [&](int64_t begin, int64_t end) {
      const Scratch<A> row(width * block, A(0)), held(held_rows_ * held_size, A(0)), made(out_width * block);
      Terms<A> terms;
      for (int64_t item = begin; item < end && !is_cancelled(context_); ++item) {
        const int64_t first = item / bands_ % blocks * block, n = item / bands_ / blocks;
        const int64_t count = std::min(block, channels_ - first);
        const auto load = [&](int64_t y, A* to) {
          if (!options_.separable) return pixels_.load(n, first, y, width, count, block, to);
          pixels_.load(n, first, y, width, count, block, row.data());
          for (int64_t x = 0; x < out_width; ++x) {
            const Taps taps = taps_of(options_.x, x);
            terms.clear();
            for (int64_t k = 0; k < taps.count; ++k) {
              terms.add(row.data() + (taps.input + k) * block, weights_[taps.first + k * options_.x.up]);
            }
            terms.sum(table_, to + x * block, block);
          }
        };
        const auto save = [&](int64_t y, const std::vector<const A*>& rows, const std::vector<int64_t>& row_taps) {
          if (options_.separable) {
            terms.clear();
            for (size_t i = 0; i < rows.size(); ++i) terms.add(rows[i], weights_[row_taps[i]] * gain());
            terms.sum(table_, made.data(), out_width * block);
          } else {
            for (int64_t x = 0; x < out_width; ++x) {
              const Taps taps = taps_of(options_.x, x);
              terms.clear();
              for (size_t i = 0; i < rows.size(); ++i) {
                const A* weights = weights_ + row_taps[i] * options_.x.taps + taps.first;
                for (int64_t k = 0; k < taps.count; ++k) {
                  terms.add(rows[i] + (taps.input + k) * block, weights[k * options_.x.up] * gain());
                }
              }
              terms.sum(table_, made.data() + x * block, block);
            }
          }
          result.save(n, first, y, out_width, count, block, made.data());
        };
        make_band(item % bands_, held.data(), held_size, load, save);
      }
    });
    check_cancelled();
  }

 private:
  A gain() const { return static_cast<A>(options_.gain); }

  /// Output rows of a band: `load(y, to)` brings an input row, once, and `save(y, rows, taps)` makes an output of those it
  /// meets.
  template <typename Load, typename Save>
  void make_band(int64_t band, A* held, int64_t held_size, const Load& load, const Save& save) const {
    std::vector<int64_t> numbers(held_rows_, -1), taps;
    std::vector<const A*> rows;
    const int64_t end = std::min((band + 1) * kBand, options_.y.out);
    for (int64_t y = band * kBand; y < end; ++y) {
      const Taps met = taps_of(options_.y, y);
      rows.clear();
      taps.clear();
      for (int64_t k = 0; k < met.count; ++k) {
        const int64_t input = met.input + k, slot = input % held_rows_;
        A* row = held + slot * held_size;
        if (numbers[slot] != input) load(input, row);
        numbers[slot] = input;
        rows.push_back(row);
        taps.push_back(met.first + k * options_.y.up);
      }
      save(y, rows, taps);
    }
  }

  const UpfirdnRows<A>& table_;
  const UpfirdnOptions& options_;
  const A* weights_;
  Rows4<A> planar_;
  PixelRows<A> pixels_;
  int64_t samples_, channels_, held_rows_, bands_;
  const RunContext* context_;
};

template <typename A>
void filter(const at::Tensor& x, const std::optional<at::Tensor>& f, const UpfirdnOptions& options,
            const at::Tensor& out) {
  const at::Tensor weights = upfirdn2d_weights(x, f, options, c10::CppTypeToScalarType<A>::value);
  const Filter<A> work(x, weights, options);
  if (x.stride(1) == 1 && x.size(1) >= kFewestPixelChannels) {
    work.by_channels(out);
  } else {
    work.by_columns(out);
  }
}

at::Tensor upfirdn2d(const at::Tensor& x, const std::optional<at::Tensor>& f, c10::IntArrayRef up, c10::IntArrayRef down,
                     c10::IntArrayRef padding, bool flip_filter, double gain) {
  const UpfirdnOptions options = upfirdn2d_check(x, f, up, down, padding, flip_filter, gain);
  at::Tensor out = upfirdn2d_empty_result(x, options);
  if (out.numel() == 0) return out;
  if (x.numel() == 0) return out.zero_();
  if (x.scalar_type() == at::kDouble) {
    filter<double>(x, f, options, out);
  } else {
    filter<float>(x, f, options, out);
  }
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) { library.impl("upfirdn2d", upfirdn2d); }

}  // namespace vision_native
