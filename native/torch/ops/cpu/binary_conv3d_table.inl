// Rows by table: `shuffle` looks up, for four input bits of a pixel and four of its neighbour, how many of them differ
// from the four weight bits of each output channel. The two counts share a byte, the neighbour's in its upper half, so
// one look-up serves 4 bits × 2 pixels × as many channels as a vector has bytes. The table is loaded by the value of the
// pixels' eight bits; the weight bits are the index. Three look-ups fit into a byte before its halves are added to sums
// of their own: three instructions a look-up, where counting the bits of words takes eight for a quarter of the work.
//
// Staged input: for each four bits of a pixel and those of its right neighbour the place of their table. What lies
// outside is staged as zeros, which differ from the weights' ones: those are taken off afterwards. Turned weights:
// [block][tap][word][byte of the word][channel].
//
// The file that includes this defines BINARY_ROWS and a struct Vector in an anonymous namespace.
#include <algorithm>
#include <cstring>

namespace vision_native {

namespace {

constexpr int64_t kTurnedWord = 8 * kBinaryBlock;
/// Words whose look-ups are made together: a sum of bytes takes 4 from each of 48.
constexpr int64_t kChunkWords = 3;
constexpr int64_t kChunk = kChunkWords * kStagedWord;
/// 16-bit sums take 4 from each look-up of a chunk.
constexpr int64_t kMostChunks = 65535 / (4 * kChunk);
constexpr int kVectors = static_cast<int>(kBinaryBlock / Vector::kBytes);

/// tables[value][index]: bits in which the lower half of value and index differ, and 16 times those of the upper half.
struct Tables {
  alignas(64) uint8_t bytes[256][16];
};

constexpr Tables make_tables() {
  Tables tables{};
  for (int value = 0; value < 256; ++value) {
    for (int index = 0; index < 16; ++index) {
      int count = 0;
      for (int bit = 0; bit < 8; ++bit) count += (((value ^ (index | index << 4)) >> bit) & 1) << (bit < 4 ? 0 : 4);
      tables.bytes[value][index] = static_cast<uint8_t>(count);
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

/// Weights of a chunk: one byte for each four bits, in the order in which `split` gives sums back.
struct Chunk {
  alignas(64) uint8_t indices[kChunk][kBinaryBlock];
};

void unfold(const uint8_t* turned, int64_t words, Chunk& chunk) {
  for (int64_t byte = 0; byte < 8 * words; ++byte) {
    for (int v = 0; v < kVectors; ++v) {
      const auto both = Vector::interleave(turned + byte * kBinaryBlock + v * Vector::kBytes);
      Vector::store(&chunk.indices[2 * byte][v * Vector::kBytes], Vector::low_bits(both));
      Vector::store(&chunk.indices[2 * byte + 1][v * Vector::kBytes], Vector::high_bits(both));
    }
  }
}

template <int kPairs>
struct Sums {
  typename Vector::Type lower[kPairs][kVectors], both[kPairs][kVectors];
};

/// Looks up kSteps × kPairs tables and adds what they give, halves apart.
template <int kSteps, int kPairs>
inline __attribute__((always_inline)) void look_up(Sums<kPairs>& sums, const Chunk& chunk,
                                                   const uint16_t* const (&inputs)[kPairs], int64_t place) {
  typename Vector::Type found[kPairs][kVectors];
  for (int step = 0; step < kSteps; ++step) {
    typename Vector::Type index[kVectors];
    for (int v = 0; v < kVectors; ++v) index[v] = Vector::load(&chunk.indices[place + step][v * Vector::kBytes]);
    for (int p = 0; p < kPairs; ++p) {
      const auto table = Vector::table(&kTables.bytes[0][0] + inputs[p][place + step]);
      for (int v = 0; v < kVectors; ++v) {
        const auto given = Vector::shuffle(table, index[v]);
        found[p][v] = step == 0 ? given : Vector::add8(found[p][v], given);
      }
    }
  }
  for (int p = 0; p < kPairs; ++p) {
    for (int v = 0; v < kVectors; ++v) {
      sums.lower[p][v] = Vector::add8(sums.lower[p][v], Vector::low_bits(found[p][v]));
      // In 16 bits: the upper half of the first byte, the lower one of the second in its own upper half, and the upper.
      sums.both[p][v] = Vector::add16(sums.both[p][v], Vector::shift_right4(found[p][v]));
    }
  }
}

/// Adds a chunk's counts of kPairs pairs to their 16-bit sums, `[2 · pair][channel]`.
template <int kPairs>
void count_chunk(const Chunk& chunk, int64_t length, const uint16_t* first, int64_t pair_step, uint16_t* shorts) {
  const uint16_t* inputs[kPairs];
  for (int p = 0; p < kPairs; ++p) inputs[p] = first + p * pair_step;
  Sums<kPairs> sums;
  for (int p = 0; p < kPairs; ++p) {
    for (int v = 0; v < kVectors; ++v) sums.lower[p][v] = sums.both[p][v] = Vector::zero();
  }
  int64_t place = 0;
  for (; place + 3 <= length; place += 3) look_up<3, kPairs>(sums, chunk, inputs, place);
  for (; place < length; ++place) look_up<1, kPairs>(sums, chunk, inputs, place);
  for (int p = 0; p < kPairs; ++p) {
    for (int v = 0; v < kVectors; ++v) {
      uint16_t* pixel = shorts + 2 * p * kBinaryBlock + v * Vector::kBytes;
      uint16_t* neighbour = pixel + kBinaryBlock;
      const auto odd = Vector::shift_right8(sums.lower[p][v]);
      const auto upper = Vector::subtract16(sums.both[p][v], Vector::shift_left4(odd));
      Vector::add_to16(pixel, Vector::even_bytes(sums.lower[p][v]));
      Vector::add_to16(pixel + Vector::kBytes / 2, odd);
      Vector::add_to16(neighbour, Vector::even_bytes(upper));
      Vector::add_to16(neighbour + Vector::kBytes / 2, Vector::shift_right8(upper));
    }
  }
}

template <int kPairs>
void count_row(const Chunk& chunk, int64_t length, const uint16_t* input, int64_t pair_step, int64_t pairs,
               uint16_t* shorts) {
  for (; pairs >= kPairs; pairs -= kPairs) {
    count_chunk<kPairs>(chunk, length, input, pair_step, shorts);
    input += kPairs * pair_step;
    shorts += 2 * kPairs * kBinaryBlock;
  }
  if constexpr (kPairs > 1) count_row<kPairs / 2>(chunk, length, input, pair_step, pairs, shorts);
}

/// Adds the sums of rows of pairs to those of rows of pixels, and empties them.
void spill(const BinaryRows& rows, int64_t pairs, uint16_t* shorts, int32_t* differing) {
  for (int64_t row = 0; row < rows.count; ++row) {
    const uint16_t* from = shorts + 2 * row * pairs * kBinaryBlock;
    int32_t* to = differing + row * rows.out_width * kBinaryBlock;
    for (int64_t i = 0; i < rows.out_width * kBinaryBlock; ++i) to[i] += from[i];
  }
  std::memset(shorts, 0, static_cast<size_t>(2 * rows.count * pairs * kBinaryBlock) * sizeof(uint16_t));
}

/// Takes off what kernel columns outside the image counted: the ones of their weights.
void take_off_borders(const BinaryRows& rows, const int32_t* ones, int32_t* differing) {
  for (int64_t x = 0; x < rows.out_width; ++x) {
    const int64_t column = x * rows.stride - rows.padding;
    if (column >= 0 && column + rows.kernel_width <= rows.width) continue;
    for (int64_t row = 0; row < rows.count; ++row) {
      int32_t* to = differing + (row * rows.out_width + x) * kBinaryBlock;
      for (int64_t r = 0; r < rows.kernel_rows; ++r) {
        if (rows.inputs[row * rows.kernel_rows + r] == nullptr) continue;
        for (int64_t d = 0; d < rows.kernel_width; ++d) {
          if (column + d >= 0 && column + d < rows.width) continue;
          const int32_t* off = ones + (r * rows.kernel_width + d) * kBinaryBlock;
          for (int64_t c = 0; c < kBinaryBlock; ++c) to[c] -= off[c];
        }
      }
    }
  }
}

void convolve_rows(const BinaryRows& rows, const void* weight, const int32_t* ones, int64_t, int32_t* differing) {
  const uint8_t* turned = static_cast<const uint8_t*>(weight);
  const int64_t pairs = (rows.out_width + 1) / 2, words = rows.kernel_width * rows.words;
  const int64_t pair_step = 2 * rows.stride * rows.words * kStagedWord;
  alignas(64) uint16_t shorts[2 * kBinaryPairs * kBinaryBlock];
  std::memset(shorts, 0, static_cast<size_t>(2 * rows.count * pairs * kBinaryBlock) * sizeof(uint16_t));
  std::memset(differing, 0, static_cast<size_t>(rows.count * rows.out_width * kBinaryBlock) * sizeof(int32_t));
  Chunk chunk;
  int64_t chunks = 0;
  for (int64_t r = 0; r < rows.kernel_rows; ++r) {
    for (int64_t first = 0; first < words; first += kChunkWords) {
      const int64_t length = std::min(kChunkWords, words - first);
      unfold(turned + (r * words + first) * kTurnedWord, length, chunk);
      for (int64_t row = 0; row < rows.count; ++row) {
        const uint16_t* input = static_cast<const uint16_t*>(rows.inputs[row * rows.kernel_rows + r]);
        if (input == nullptr) continue;
        count_row<Vector::kPairs>(chunk, length * kStagedWord, input + first * kStagedWord, pair_step, pairs,
                                  shorts + 2 * row * pairs * kBinaryBlock);
      }
      if (++chunks == kMostChunks) {
        spill(rows, pairs, shorts, differing);
        chunks = 0;
      }
    }
  }
  spill(rows, pairs, shorts, differing);
  take_off_borders(rows, ones, differing);
}

/// The table of a pair of zeros counts the ones of an index.
void count_ones(const uint8_t* turned, int64_t words, int32_t* ones) {
  static const uint16_t zeros[kChunk] = {};
  std::memset(ones, 0, kBinaryBlock * sizeof(int32_t));
  Chunk chunk;
  for (int64_t first = 0; first < words; first += kChunkWords) {
    const int64_t length = std::min(kChunkWords, words - first);
    alignas(64) uint16_t shorts[2 * kBinaryBlock] = {};
    unfold(turned + first * kTurnedWord, length, chunk);
    count_chunk<1>(chunk, length * kStagedWord, zeros, 0, shorts);
    for (int64_t c = 0; c < kBinaryBlock; ++c) ones[c] += shorts[c];
  }
}

}  // namespace

}  // namespace vision_native

#include "torch/ops/cpu/binary_conv3d_finish.inl"

namespace vision_native {

const BinaryRowKernel BINARY_ROWS = {convolve_rows, count_ones, finish_sums, finish_floats, /*staged=*/true};

}  // namespace vision_native
