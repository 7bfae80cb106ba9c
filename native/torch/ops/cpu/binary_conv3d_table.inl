// Rows by table: `shuffle` looks up, for four input bits of one pixel, how many of them differ from the four weight bits
// of each output channel. The table of a pixel's four bits is loaded by their value; the weight bits are the index. That
// is two instructions for 4 bits × as many channels as a vector has bytes, a quarter of what counting the bits of
// words takes.
//
// Staged input: one byte for each four bits, twice their value, so that 8 · byte is the place of their 16-byte table;
// the padding of a row is the value of a table of zeros. Turned weights: [block][tap][word][byte of the word][channel].
//
// The file that includes this defines BINARY_ROWS and a struct Vector in an anonymous namespace.

namespace vision_native {

namespace {

constexpr int64_t kTurnedWord = 8 * kBinaryBlock;
// A byte of the sums takes 4 from each of 16 look-ups of a word.
constexpr int64_t kWordsPerByte = 3;
// 16-bit sums take 3 · 64 at a time.
constexpr int64_t kMostShortSums = 340;
constexpr int kVectors = static_cast<int>(kBinaryBlock / Vector::kBytes);

/// tables[value][index] = bits in which value and index differ; the last is of zeros.
struct Tables {
  alignas(64) uint8_t bytes[17][16];
};

constexpr Tables make_tables() {
  Tables tables{};
  for (int value = 0; value < 16; ++value) {
    for (int index = 0; index < 16; ++index) {
      int count = 0;
      for (int bit = 0; bit < 4; ++bit) count += ((value ^ index) >> bit) & 1;
      tables.bytes[value][index] = static_cast<uint8_t>(count);
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

/// 16-bit sums of one pixel, in the order that unpacking bytes gives.
struct ShortSums {
  alignas(64) uint16_t values[2 * kVectors][Vector::kBytes / 2];
};

void add_short_sums(ShortSums& sums, int32_t* differing) {
  for (int v = 0; v < 2 * kVectors; ++v) {
    for (int i = 0; i < Vector::kBytes / 2; ++i) {
      const int channel = (v / 2) * Vector::kBytes + (i / 8) * 16 + (v % 2) * 8 + i % 8;
      differing[channel] += sums.values[v][i];
      sums.values[v][i] = 0;
    }
  }
}

template <int kPixels>
inline __attribute__((always_inline)) void look_up(typename Vector::Type (&sums)[kPixels][kVectors],
                                                   const typename Vector::Type (&index)[kVectors],
                                                   const uint8_t* const (&inputs)[kPixels], int64_t place) {
  for (int p = 0; p < kPixels; ++p) {
    const auto table = Vector::table(&kTables.bytes[0][0] + 8 * static_cast<uint64_t>(inputs[p][place]));
    for (int v = 0; v < kVectors; ++v) sums[p][v] = Vector::add8(sums[p][v], Vector::shuffle(table, index[v]));
  }
}

template <int kPixels>
void convolve_pixels(const BinaryRow& row, const uint8_t* weight, int64_t x, int32_t* differing) {
  using Type = typename Vector::Type;
  ShortSums shorts[kPixels] = {};
  for (int64_t i = 0; i < kPixels * kBinaryBlock; ++i) differing[i] = 0;
  int64_t short_sums = 0;
  const int64_t pixel_bytes = row.words * kStagedWord;
  const int64_t words = row.kernel_width * row.words;
  for (int64_t r = 0; r < row.count; ++r) {
    const uint8_t* inputs[kPixels];
    for (int p = 0; p < kPixels; ++p) {
      inputs[p] = static_cast<const uint8_t*>(row.inputs[r]) + (x + p) * row.stride * pixel_bytes;
    }
    const uint8_t* bytes = weight + row.kernel_rows[r] * words * kTurnedWord;
    for (int64_t first = 0; first < words; first += kWordsPerByte) {
      const int64_t end = first + kWordsPerByte < words ? first + kWordsPerByte : words;
      Type sums[kPixels][kVectors];
      for (int p = 0; p < kPixels; ++p) {
        for (int v = 0; v < kVectors; ++v) sums[p][v] = Vector::zero();
      }
      for (int64_t place = first * kStagedWord; place < end * kStagedWord; place += 2) {
        Type index[kVectors];
        for (int v = 0; v < kVectors; ++v) index[v] = Vector::low_bits(bytes + v * Vector::kBytes);
        look_up<kPixels>(sums, index, inputs, place);
        for (int v = 0; v < kVectors; ++v) index[v] = Vector::high_bits(bytes + v * Vector::kBytes);
        look_up<kPixels>(sums, index, inputs, place + 1);
        bytes += kBinaryBlock;
      }
      for (int p = 0; p < kPixels; ++p) {
        for (int v = 0; v < kVectors; ++v) {
          Vector::add_to16(shorts[p].values[2 * v], Vector::low16(sums[p][v]));
          Vector::add_to16(shorts[p].values[2 * v + 1], Vector::high16(sums[p][v]));
        }
      }
      if (++short_sums == kMostShortSums) {
        for (int p = 0; p < kPixels; ++p) add_short_sums(shorts[p], differing + p * kBinaryBlock);
        short_sums = 0;
      }
    }
  }
  for (int p = 0; p < kPixels; ++p) add_short_sums(shorts[p], differing + p * kBinaryBlock);
}

void convolve_row(const BinaryRow& row, const void* weight, int64_t channels, int32_t* differing) {
  const uint8_t* bytes = static_cast<const uint8_t*>(weight);
  int64_t x = 0;
  for (; x + Vector::kPixels <= row.out_width; x += Vector::kPixels) {
    convolve_pixels<Vector::kPixels>(row, bytes, x, differing + x * kBinaryBlock);
  }
  for (; x + 4 <= row.out_width; x += 4) convolve_pixels<4>(row, bytes, x, differing + x * kBinaryBlock);
  for (; x + 2 <= row.out_width; x += 2) convolve_pixels<2>(row, bytes, x, differing + x * kBinaryBlock);
  for (; x < row.out_width; ++x) convolve_pixels<1>(row, bytes, x, differing + x * kBinaryBlock);
}

}  // namespace

const BinaryRowKernel BINARY_ROWS = {convolve_row, /*staged=*/true};

}  // namespace vision_native
