// Rows by words: input and weights stay packed, and the bits of `input xor weight` are counted, eight output channels at
// a time. Kernel columns beyond the border are left out, so pixels near it are taken one by one.
//
// The file that includes this defines BINARY_ROWS, kPixels and a struct Counts in an anonymous namespace.

namespace vision_native {

namespace {

constexpr int64_t kTile = 8;

/// Outputs x … x + kCount − 1 of eight channels, kernel columns `first` to `end` of each.
template <int kCount>
void convolve_pixels(const BinaryRow& row, const uint64_t* weight, int64_t x, int64_t first, int64_t end,
                     int32_t* differing) {
  const int64_t words = (end - first) * row.words;
  Counts counts[kCount];
  for (Counts& each : counts) each.clear();
  for (int64_t r = 0; r < row.count; ++r) {
    const uint64_t* inputs[kCount];
    for (int p = 0; p < kCount; ++p) {
      const int64_t column = (x + p) * row.stride - row.padding + first;
      inputs[p] = static_cast<const uint64_t*>(row.inputs[r]) + column * row.words;
    }
    const uint64_t* w = weight + (row.kernel_rows[r] * row.kernel_width + first) * row.words * kTile;
    for (int64_t i = 0; i < words; ++i) {
      for (int p = 0; p < kCount; ++p) counts[p].add(inputs[p][i], w + i * kTile);
    }
  }
  for (int p = 0; p < kCount; ++p) counts[p].store(differing + p * kBinaryBlock);
}

void convolve_row(const BinaryRow& row, const void* weight, int64_t channels, int32_t* differing) {
  const int64_t tile_words = row.taps * row.words * kTile;
  for (int64_t channel = 0; channel < channels; channel += kTile) {
    const uint64_t* w = static_cast<const uint64_t*>(weight) + channel / kTile * tile_words;
    int64_t x = 0;
    while (x < row.out_width) {
      int32_t* out = differing + x * kBinaryBlock + channel;
      const int64_t column = x * row.stride - row.padding;
      const int64_t last = (x + kPixels - 1) * row.stride - row.padding + row.kernel_width;
      if (column >= 0 && x + kPixels <= row.out_width && last <= row.width) {
        convolve_pixels<kPixels>(row, w, x, 0, row.kernel_width, out);
        x += kPixels;
        continue;
      }
      const int64_t first = column < 0 ? (-column < row.kernel_width ? -column : row.kernel_width) : 0;
      const int64_t inside = row.width - column;
      const int64_t end = inside < row.kernel_width ? inside : row.kernel_width;
      convolve_pixels<1>(row, w, x, first < end ? first : 0, first < end ? end : 0, out);
      ++x;
    }
  }
}

}  // namespace

const BinaryRowKernel BINARY_ROWS = {convolve_row, /*staged=*/false};

}  // namespace vision_native
