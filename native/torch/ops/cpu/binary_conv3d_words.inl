// Rows by words: input and weights stay packed, and the bits of `input xor weight` are counted, eight output channels at
// a time. Kernel columns beyond the border are left out, so pixels near it are taken one by one.
//
// The file that includes this defines BINARY_ROWS, kPixels and a struct Counts in an anonymous namespace.
#include "torch/ops/cpu/binary_conv3d_finish.inl"

namespace vision_native {

namespace {

constexpr int64_t kTile = 8;

/// Outputs x … x + kCount − 1 of eight channels, kernel columns `first` to `end` of each.
template <int kCount>
void convolve_pixels(const BinaryRows& rows, const void* const* inputs, const uint64_t* weight, int64_t x, int64_t first,
                     int64_t end, int32_t* differing) {
  const int64_t words = (end - first) * rows.words;
  Counts counts[kCount];
  for (Counts& each : counts) each.clear();
  for (int64_t r = 0; r < rows.kernel_rows; ++r) {
    if (inputs[r] == nullptr) continue;
    const uint64_t* from[kCount];
    for (int p = 0; p < kCount; ++p) {
      const int64_t column = (x + p) * rows.stride - rows.padding + first;
      from[p] = static_cast<const uint64_t*>(inputs[r]) + column * rows.words;
    }
    const uint64_t* w = weight + (r * rows.kernel_width + first) * rows.words * kTile;
    for (int64_t i = 0; i < words; ++i) {
      for (int p = 0; p < kCount; ++p) counts[p].add(from[p][i], w + i * kTile);
    }
  }
  for (int p = 0; p < kCount; ++p) counts[p].store(differing + p * kBinaryBlock);
}

void convolve_rows(const BinaryRows& rows, const void* weight, const int32_t*, int64_t channels, int32_t* differing) {
  const int64_t tile_words = rows.kernel_rows * rows.kernel_width * rows.words * kTile;
  for (int64_t channel = 0; channel < channels; channel += kTile) {
    const uint64_t* w = static_cast<const uint64_t*>(weight) + channel / kTile * tile_words;
    for (int64_t row = 0; row < rows.count; ++row) {
      const void* const* inputs = rows.inputs + row * rows.kernel_rows;
      int64_t x = 0;
      while (x < rows.out_width) {
        int32_t* out = differing + (row * rows.out_width + x) * kBinaryBlock + channel;
        const int64_t column = x * rows.stride - rows.padding;
        const int64_t last = (x + kPixels - 1) * rows.stride - rows.padding + rows.kernel_width;
        if (column >= 0 && x + kPixels <= rows.out_width && last <= rows.width) {
          convolve_pixels<kPixels>(rows, inputs, w, x, 0, rows.kernel_width, out);
          x += kPixels;
          continue;
        }
        const int64_t first = column < 0 ? (-column < rows.kernel_width ? -column : rows.kernel_width) : 0;
        const int64_t inside = rows.width - column;
        const int64_t end = inside < rows.kernel_width ? inside : rows.kernel_width;
        convolve_pixels<1>(rows, inputs, w, x, first < end ? first : 0, first < end ? end : 0, out);
        ++x;
      }
    }
  }
}

}  // namespace

const BinaryRowKernel BINARY_ROWS = {convolve_rows, nullptr, finish_sums, finish_floats, /*staged=*/false};

}  // namespace vision_native
