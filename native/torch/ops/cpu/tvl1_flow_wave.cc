#include "torch/ops/cpu/tvl1_flow_wave.h"

namespace vision_native {

namespace {

// Columns of a tile, a multiple of a piece. With its ring it takes some 250 KB, half the second-level cache.
constexpr int64_t kTileColumns = 512;
// A remainder up to this is done with the last tile.
constexpr int64_t kLeastColumns = 256;

constexpr int64_t whole_groups(int64_t columns) { return (columns + kTvl1Group - 1) / kTvl1Group * kTvl1Group; }

/// Rows that are in work at the same time.
constexpr int64_t ring_rows(int64_t count) { return count + 2; }

}  // namespace

Tvl1Band::Tvl1Band(const Tvl1State& state, const Tvl1Rows& rows, const Tvl1Step& step, int64_t begin, int64_t end,
                   int64_t count)
    : state_(state), rows_(rows), step_(step), begin_(begin), end_(end), count_(count) {}

int64_t Tvl1Band::ring_floats(const Tvl1State& state) { return kTvl1Group + ring_rows(kDeepest) * state.row_floats(); }

void Tvl1Band::run(Tvl1Call& call, float* ring, double* errors) const {
  const int64_t width = whole_groups(state_.size.width);
  for (int64_t left = 0; left < width;) {
    const int64_t right = width - left <= kTileColumns + kLeastColumns ? width : left + kTileColumns;
    run_tile(call, ring, errors, left, right);
    left = right;
  }
}

void Tvl1Band::run_tile(Tvl1Call& call, float* ring, double* errors, int64_t left, int64_t right) const {
  const auto [height, image_width] = state_.size;
  const int64_t width = whole_groups(image_width), row_floats = state_.row_floats();
  const auto kept_in_ring = [&](int64_t y) { return ring + kTvl1Group + y % ring_rows(count_) * row_floats; };
  // Flow rows of iteration t are first(t) to last(t) − 1; its dual rows end one before, or with the image.
  const auto first = [&](int64_t t) { return std::max<int64_t>(0, begin_ - (count_ - 1 - t)); };
  const auto last = [&, height = height](int64_t t) { return std::min(height, end_ + (count_ - t)); };

  const int64_t steps_end = std::min(height, end_ + 1) + count_;
  for (int64_t y = first(0); y < steps_end; ++y) {
    call.poll();
    for (int64_t t = 0; t < count_ && y - t >= first(t); ++t) {
      const int64_t at = y - t;
      if (at > last(t) || (at == last(t) && at < height)) continue;
      const bool final = t == count_ - 1;
      Tvl1WaveRow row{};
      row.pitch = state_.pitch;
      row.width = image_width;
      // The last iteration must not touch what the tile to the left has finished.
      row.begin = final ? left : std::max<int64_t>(0, left - kTvl1Group);
      row.end = std::min(width, right + kTvl1Group);
      if (at < height) {
        row.data = state_.data(at);
        row.in = t == 0 ? state_.now(at) : kept_in_ring(at);
        row.out = final && at < end_ ? state_.next(at) : kept_in_ring(at);
      }
      row.in_above = at == 0 || t == 0 ? state_.now(at - 1) : kept_in_ring(at - 1);
      if (at > first(t)) row.out_above = final ? state_.next(at - 1) : kept_in_ring(at - 1);
      const bool counts = at >= begin_ && at < end_;
      row.kept_begin = left;
      row.kept_end = counts ? right : left;
      const double error = rows_.advance(row, step_);
      if (counts) errors[t * height + at] += error;
    }
  }
}

}  // namespace vision_native
