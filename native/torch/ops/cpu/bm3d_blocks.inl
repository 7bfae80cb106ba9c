// Body of the block functions; included by one file for each instruction set, which names the table it fills
// (BM3D_BLOCKS). All of them round alike: nothing is fused, and sums over lanes have a fixed order. A difference in the
// last bit would otherwise choose other blocks.
#pragma GCC optimize("fp-contract=off", "no-math-errno", "no-trapping-math")
#pragma GCC diagnostic ignored "-Wpsabi"

namespace vision_native {

namespace {

constexpr int kLanes = 8;
typedef float Lanes __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
typedef int32_t Picks __attribute__((vector_size(4 * kLanes)));
typedef float Aligned __attribute__((vector_size(4 * kLanes), may_alias));

inline Aligned load(const float* from) { return *reinterpret_cast<const Lanes*>(from); }
inline void store(float* to, const Aligned& value) { *reinterpret_cast<Lanes*>(to) = value; }
inline Aligned splat(float value) { return Aligned{} + value; }

/// Bit i tells whether a[i] ≤ b[i].
inline uint32_t at_most(const Aligned& a, const float* b) {
#if defined(BM3D_AVX)
  const __m256 left = reinterpret_cast<__m256>(a);
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(left, _mm256_loadu_ps(b), _CMP_LE_OQ)));
#else
  float left[kLanes];
  store(left, a);
  const int low = _mm_movemask_ps(_mm_cmple_ps(_mm_loadu_ps(left), _mm_loadu_ps(b)));
  const int high = _mm_movemask_ps(_mm_cmple_ps(_mm_loadu_ps(left + 4), _mm_loadu_ps(b + 4)));
  return static_cast<uint32_t>(low | high << 4);
#endif
}

// ---- Search ---------------------------------------------------------------------------------------------------------

/// Puts a candidate at its place among those found, which are sorted.
inline void insert(uint64_t* found, int32_t& count, int32_t most, uint64_t candidate) {
  int32_t i = count < most ? count++ : most - 1;
  for (; i > 0 && found[i - 1] > candidate; --i) found[i] = found[i - 1];
  found[i] = candidate;
}

/// Squared differences of two rows, from x = 0 on; added to `to`, or in place of it.
template <bool add>
inline void squares(const float* a, const float* b, float* to, int64_t width) {
  for (int64_t x = 0; x < width; x += kLanes) {
    const Aligned difference = load(a + x) - load(b + x);
    const Aligned square = difference * difference;
    store(to + x, add ? load(to + x) + square : square);
  }
}

inline uint64_t key_of(float distance, uint32_t order) {
  uint32_t bits;
  std::memcpy(&bits, &distance, sizeof bits);
  return uint64_t{bits} << 32 | order;
}

/// Rows of blocks of reference three apart share sums of three rows of squared differences: each row of the image is
/// subtracted once for an offset, however many blocks it is in.
void search_blocks(const Bm3dPlane& plane, const Bm3dImage& image, const Bm3dStage& stage, const Bm3dBand& band,
                   const Bm3dSearch& search) {
  const int32_t reach = stage.reach, most = stage.most_blocks;
  const int64_t columns = bm3d_references(image.width);
  const int64_t last_x = image.width - kBm3dSide, last_y = image.height - kBm3dSide;
  std::fill_n(search.counts, band.rows * columns, 0);
  std::fill_n(search.limits, band.rows * search.row, -1.0f);
  for (int64_t r = 0; r < band.rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      search.limits[r * search.row + bm3d_reference(c, image.width)] = stage.limit;
    }
  }
  float* const sums = search.work;  // of eight rows, then of four columns of them
  float* const triples = search.work + search.row;
  for (int32_t dy = -reach; dy <= reach; ++dy) {
    for (int32_t dx = -reach; dx <= reach; ++dx) {
      const int64_t from = std::max<int64_t>(0, -dx), to = std::min(last_x, last_x - dx);
      if (from > to) continue;
      // Of the columns from … to + 7.
      const int64_t width = to - from + kBm3dSide;
      const uint32_t order = bm3d_order(dy, dx, reach);
      const auto a = [&](int64_t y) { return plane.at(y, from); };
      const auto b = [&](int64_t y) { return plane.at(y + dy, from + dx); };
      int64_t known = -1;  // the first row of the image of the triples that are known, or −1
      for (int64_t r = 0; r < band.rows; ++r) {
        const int64_t y = bm3d_reference(band.first + r, image.height);
        if (y + dy < 0 || y + dy > last_y) continue;
        // Triples at y and y + 3 and the pair at y + 6, which the next row completes.
        float* t0 = triples + (r % 3) * search.row;
        float* t1 = triples + ((r + 1) % 3) * search.row;
        float* t2 = triples + ((r + 2) % 3) * search.row;
        if (known != y) {
          squares<false>(a(y), b(y), t0, width);
          squares<true>(a(y + 1), b(y + 1), t0, width);
          squares<true>(a(y + 2), b(y + 2), t0, width);
          squares<false>(a(y + 3), b(y + 3), t1, width);
          squares<true>(a(y + 4), b(y + 4), t1, width);
        }
        known = y + kBm3dStep;
        for (int64_t x = 0; x < width; x += kLanes) {
          const Aligned d5 = load(a(y + 5) + x) - load(b(y + 5) + x);
          const Aligned d6 = load(a(y + 6) + x) - load(b(y + 6) + x);
          const Aligned d7 = load(a(y + 7) + x) - load(b(y + 7) + x);
          const Aligned triple = load(t1 + x) + d5 * d5, pair = d6 * d6 + d7 * d7;
          store(t1 + x, triple);
          store(t2 + x, pair);
          store(sums + x, (load(t0 + x) + triple) + pair);
        }
        // Sums of four columns; of eight where they are compared. Behind the last column nothing may count.
        for (int64_t x = 0; x < width; x += kLanes) {
          store(sums + x, (load(sums + x) + load(sums + x + 1)) + (load(sums + x + 2) + load(sums + x + 3)));
        }
        float* limits = search.limits + r * search.row + from;
        const int64_t places = to - from + 1;
        for (int64_t x = 0; x < places; x += kLanes) {
          const Aligned distances = load(sums + x) + load(sums + x + 4);
          uint32_t near = at_most(distances, limits + x);
          if (near == 0) continue;
          if (places - x < kLanes) near &= (1u << (places - x)) - 1;
          for (; near != 0; near &= near - 1) {
            const int lane = __builtin_ctz(near);
            const int64_t at = from + x + lane;
            const int64_t column = at == last_x ? columns - 1 : at / kBm3dStep;
            int32_t& count = search.counts[r * columns + column];
            uint64_t* found = search.found + (r * columns + column) * most;
            const uint64_t candidate = key_of(distances[lane], order);
            if (count == most && candidate > found[most - 1]) continue;
            insert(found, count, most, candidate);
            if (count == most) {
              const auto worst = static_cast<uint32_t>(found[most - 1] >> 32);
              std::memcpy(&limits[x + lane], &worst, sizeof worst);
            }
          }
        }
      }
    }
  }
}

// ---- Transforms -----------------------------------------------------------------------------------------------------

struct Block {
  Aligned rows[kBm3dSide];
};

inline void transpose(Block& m) {
  Aligned* r = m.rows;
  Aligned t[8];
  for (int i = 0; i < 4; ++i) {
    t[2 * i] = __builtin_shuffle(r[2 * i], r[2 * i + 1], Picks{0, 8, 1, 9, 4, 12, 5, 13});
    t[2 * i + 1] = __builtin_shuffle(r[2 * i], r[2 * i + 1], Picks{2, 10, 3, 11, 6, 14, 7, 15});
  }
  Aligned u[8];
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) {
      u[4 * i + 2 * j] = __builtin_shuffle(t[4 * i + j], t[4 * i + 2 + j], Picks{0, 1, 8, 9, 4, 5, 12, 13});
      u[4 * i + 2 * j + 1] = __builtin_shuffle(t[4 * i + j], t[4 * i + 2 + j], Picks{2, 3, 10, 11, 6, 7, 14, 15});
    }
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = __builtin_shuffle(u[i], u[4 + i], Picks{0, 1, 2, 3, 8, 9, 10, 11});
    r[4 + i] = __builtin_shuffle(u[i], u[4 + i], Picks{4, 5, 6, 7, 12, 13, 14, 15});
  }
}

/// M·X, by rows.
inline Block multiply(const float* matrix, const Block& x) {
  Block y;
  for (int i = 0; i < kBm3dSide; ++i) {
    Aligned sum = x.rows[0] * matrix[kBm3dSide * i];
    for (int k = 1; k < kBm3dSide; ++k) sum += x.rows[k] * matrix[kBm3dSide * i + k];
    y.rows[i] = sum;
  }
  return y;
}

/// M·X·Mᵀ, transposed; the same with the inverse brings X back.
inline Block transform(const float* matrix, const Block& x) {
  Block y = multiply(matrix, x);
  transpose(y);
  return multiply(matrix, y);
}

/// The Walsh–Hadamard transform along the group, orthonormal; its own inverse.
inline void along_group(Block* group, int32_t count) {
  for (int32_t half = 1; half < count; half *= 2) {
    for (int32_t start = 0; start < count; start += 2 * half) {
      for (int32_t k = start; k < start + half; ++k) {
        for (int i = 0; i < kBm3dSide; ++i) {
          const Aligned a = group[k].rows[i], b = group[k + half].rows[i];
          group[k].rows[i] = a + b;
          group[k + half].rows[i] = a - b;
        }
      }
    }
  }
}

inline void load_group(const Bm3dPlane& plane, const float* matrix, const int32_t* y, const int32_t* x, int32_t count,
                       Block* group) {
  for (int32_t k = 0; k < count; ++k) {
    Block block;
    for (int i = 0; i < kBm3dSide; ++i) block.rows[i] = load(plane.at(y[k] + i, x[k]));
    group[k] = transform(matrix, block);
  }
  along_group(group, count);
}

inline float sum_of(const Aligned& v) {
  return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7]));
}

/// Leaves in `group` what the first stage drops, and returns the weight of the group.
inline float drop_below(Block* group, int32_t count, float threshold) {
  const Aligned limit = splat(threshold);
  Picks dropped{};
  for (int32_t k = 0; k < count; ++k) {
    for (int i = 0; i < kBm3dSide; ++i) {
      const Aligned c = group[k].rows[i];
      const Aligned magnitude = c < 0.0f ? -c : c;
      const Picks drop = magnitude < limit;
      dropped -= drop;
      group[k].rows[i] = reinterpret_cast<Aligned>(reinterpret_cast<Picks>(c) & drop);
    }
  }
  int32_t total = 0;
  for (int i = 0; i < kLanes; ++i) total += dropped[i];
  return bm3d_weight_of_kept(count * kBm3dArea - total);
}

/// Leaves in `group` what Wiener's factors take away, and returns the weight of the group.
inline float attenuate(Block* group, const Block* guess, int32_t count, float variance) {
  const Aligned noise = splat(variance);
  Aligned norm{};
  for (int32_t k = 0; k < count; ++k) {
    for (int i = 0; i < kBm3dSide; ++i) {
      const Aligned total = guess[k].rows[i] * guess[k].rows[i] + noise;
      // A coefficient without power or of one that is not finite is left as it is.
      const Picks usable = (total > 0.0f) & (total < kBm3dInfinity);
      const Aligned share = noise / total;
      const Aligned factor = usable ? 1.0f - share : splat(1.0f);
      norm += factor * factor;
      group[k].rows[i] = usable ? group[k].rows[i] * share : Aligned{};
    }
  }
  return bm3d_weight_of_norm(sum_of(norm));
}

/// What is taken away is added up: the mean of a pixel's estimates is the pixel less the mean of what was taken from it.
/// That loses less to rounding than to put together what is kept, and without noise the image stays as it is.
void filter_group(const Bm3dPlane& noisy, const Bm3dPlane& basic, const Bm3dStage& stage, int64_t channel,
                  const int32_t* y, const int32_t* x, int32_t count, const Bm3dTables& tables, const Bm3dSums& sums) {
  alignas(64) Block group[kBm3dMostBlocks];
  const Bm3dTransform& matrices = stage.wiener ? tables.cosine : tables.wavelet;
  load_group(noisy, matrices.forward, y, x, count, group);
  // The transform along the group is left without its factor 1/√count, which goes into what coefficients are compared
  // with, and squared into the way back.
  const float sigma = stage.sigma[channel];
  const auto blocks = static_cast<float>(count);
  float weight;
  if (stage.wiener) {
    alignas(64) Block guess[kBm3dMostBlocks];
    load_group(basic, matrices.forward, y, x, count, guess);
    weight = attenuate(group, guess, count, sigma * sigma * blocks);
  } else {
    weight = drop_below(group, count, kBm3dThreshold * sigma * std::sqrt(blocks));
  }
  along_group(group, count);
  const float back = 1.0f / blocks;
  Aligned weights[kBm3dSide];
  for (int i = 0; i < kBm3dSide; ++i) weights[i] = load(tables.window + kBm3dSide * i) * weight;
  for (int32_t k = 0; k < count; ++k) {
    const Block noise = transform(matrices.inverse, group[k]);
    const int64_t at = (y[k] - sums.top) * sums.stride + x[k];
    for (int i = 0; i < kBm3dSide; ++i) {
      float* values = sums.values + at + i * sums.stride;
      float* total = sums.weights + at + i * sums.stride;
      store(values, load(values) + noise.rows[i] * back * weights[i]);
      store(total, load(total) + weights[i]);
    }
  }
}

}  // namespace

const Bm3dBlocks BM3D_BLOCKS{search_blocks, filter_group};

}  // namespace vision_native
