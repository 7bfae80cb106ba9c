// CPU kernels of exact searches. The base is read once in tiles; scores are compared with the k-th best of each query so
// far and never stored. Beyond a few queries a matrix product gives bounds of scores, and rows that may be among the best
// are computed one by one, so that scores do not depend on tiles, threads or the library of the product.
#include "torch/ops/topk_cosine.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <torch/library.h>

#include <cmath>
#include <limits>
#include <mutex>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/knn_clouds.h"
#include "torch/ops/cpu/topk_cosine_best.h"
#include "torch/ops/cpu/topk_cosine_rows.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

using Pair = std::tuple<at::Tensor, at::Tensor>;

/// Up to this many queries the memory is the limit, and every score is computed as it counts.
constexpr int64_t kFewQueries = 4;
/// Queries of a tile of the matrix product, and elements of its rows: half a megabyte of float32.
constexpr int64_t kTileQueries = 128;
constexpr int64_t kTileElements = int64_t{1} << 17;

const SearchRows& search_rows() { return for_cpu_isa(kSearchRowsScalar, kSearchRowsAvx2, kSearchRowsAvx512); }

template <typename A>
const CosineRows<A>& cosine_rows() {
  if constexpr (std::is_same_v<A, double>) {
    return search_rows().wide;
  } else {
    return search_rows().narrow;
  }
}

/// The factor that makes a product a cosine: rows of length 0 have the cosine 0.
template <typename A>
A inverse_of(A norm) {
  return norm == 0 ? A(0) : A(1) / norm;
}

int64_t tile_rows(int64_t dims) { return std::clamp<int64_t>(kTileElements / dims / 16 * 16, 32, 2048); }

/// Hands each thread a range of `rows` in tiles and its own best keys of `queries` queries, and joins these.
template <typename Key, typename Body>
std::vector<BestKeys<Key>> search_tiles(int64_t rows, int64_t tile, int64_t queries, int64_t k, const Body& body) {
  std::vector<BestKeys<Key>> best(queries, BestKeys<Key>(k));
  std::mutex mutex;
  const RunContext* context = current_run_context();
  at::parallel_for(0, (rows + tile - 1) / tile, 1, [&](int64_t begin, int64_t end) {
    std::vector<BestKeys<Key>> own(queries, BestKeys<Key>(k));
    auto state = body.start();
    for (int64_t i = begin; i < end; ++i) {
      if (is_cancelled(context)) return;
      body.search(state, i * tile, std::min(tile, rows - i * tile), own);
    }
    const std::lock_guard<std::mutex> guard(mutex);
    for (int64_t q = 0; q < queries; ++q) best[q].take(own[q]);
  });
  check_cancelled();
  return best;
}

// ---- Floating point -------------------------------------------------------------------------------------------------

template <typename A>
class CosineSearch {
 public:
  using Key = typename KeyOf<A>::Key;

  struct State {
    std::vector<A> rows, inverses, products;
    std::vector<int32_t> places;
  };

  CosineSearch(const at::Tensor& queries, const at::Tensor& base, const at::Tensor& norms)
      : rows_(cosine_rows<A>()),
        length_(point_scans<A>().length),
        base_(base.unsqueeze(0)),
        direct_(base.scalar_type() == kTypeOf<A> && base.stride(1) == 1 ? base.const_data_ptr<A>() : nullptr),
        direct_stride_(base.stride(0)),
        norms_(norms.defined() ? norms.const_data_ptr<A>() : nullptr),
        norm_stride_(norms.defined() ? norms.stride(0) : 0),
        queries_(queries.size(0)),
        dims_(queries.size(1)),
        tile_(tile_rows(dims_)),
        values_(queries_ * dims_),
        inverses_(queries_) {
    const Points3<A> points(queries.unsqueeze(0));
    for (int64_t q = 0; q < queries_; ++q) {
      points.point(0, q, dims_, values_.data() + q * dims_);
      inverses_[q] = inverse_of(std::sqrt(length_(values_.data() + q * dims_, dims_)));
    }
  }

  int64_t tile() const { return tile_; }

  State start() const {
    return {std::vector<A>(direct_ == nullptr ? tile_ * dims_ : 0), std::vector<A>(tile_),
            std::vector<A>(queries_ > kFewQueries ? kTileQueries * tile_ : 0), std::vector<int32_t>(tile_)};
  }

  void search(State& state, int64_t first, int64_t count, std::vector<BestKeys<Key>>& best) const {
    int64_t stride = direct_stride_;
    const A* rows = direct_ + first * direct_stride_;
    if (direct_ == nullptr) {
      for (int64_t i = 0; i < count; ++i) base_.point(0, first + i, dims_, state.rows.data() + i * dims_);
      rows = state.rows.data();
      stride = dims_;
    }
    if (queries_ <= kFewQueries) {
      search_rows_of(rows, stride, first, count, best);
      return;
    }
    for (int64_t i = 0; i < count; ++i) state.inverses[i] = inverse(rows + i * stride, first + i);
    search_product(state, rows, stride, first, count, best);
  }

 private:
  A inverse(const A* row, int64_t index) const {
    return inverse_of(norms_ != nullptr ? norms_[index * norm_stride_] : std::sqrt(length_(row, dims_)));
  }

  void search_rows_of(const A* rows, int64_t stride, int64_t first, int64_t count,
                      std::vector<BestKeys<Key>>& best) const {
    A products[kFewQueries];
    for (int64_t i = 0; i < count; ++i) {
      const A* row = rows + i * stride;
      const A factor = inverse(row, first + i);
      rows_.dots(row, values_.data(), dims_, queries_, dims_, products);
      for (int64_t q = 0; q < queries_; ++q) {
        best[q].offer(score_key<A>((products[q] * factor) * inverses_[q], static_cast<uint32_t>(first + i)));
      }
    }
  }

  void search_product(State& state, const A* rows, int64_t stride, int64_t first, int64_t count,
                      std::vector<BestKeys<Key>>& best) const {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const at::TensorOptions options = at::TensorOptions().dtype(kTypeOf<A>);
    // Twice the error of a product of two rows of length 1, in any order of its sum.
    const A error = A(dims_ + 64) * std::numeric_limits<A>::epsilon();
    const at::Tensor right = at::from_blob(const_cast<A*>(rows), {dims_, count}, {1, stride}, options);
    for (int64_t start = 0; start < queries_; start += kTileQueries) {
      const int64_t size = std::min(kTileQueries, queries_ - start);
      const at::Tensor left = at::from_blob(const_cast<A*>(values_.data()) + start * dims_, {size, dims_}, options);
      at::Tensor out = at::from_blob(state.products.data(), {size, count}, options);
      at::mm_out(out, left, right);
      for (int64_t i = 0; i < size; ++i) {
        const int64_t q = start + i;
        const A* products = state.products.data() + i * count;
        const int64_t found = rows_.candidates(products, state.inverses.data(), count, inverses_[q], error,
                                               limit(best[q]), state.places.data());
        for (int64_t j = 0; j < found; ++j) {
          const int64_t at = state.places[j];
          // The limit may have risen since.
          if ((products[at] * state.inverses[at]) * inverses_[q] + error <= limit(best[q])) continue;
          A product;
          rows_.dots(rows + at * stride, values_.data() + q * dims_, dims_, 1, dims_, &product);
          best[q].offer(
              score_key<A>((product * state.inverses[at]) * inverses_[q], static_cast<uint32_t>(first + at)));
        }
      }
    }
  }

  /// A score that is not above it is not wanted, as rows come in order. NaN, where all are, compares as no limit.
  static A limit(const BestKeys<Key>& best) {
    return best.limit() == last_key<A>() ? -std::numeric_limits<A>::infinity() : score_of<A>(best.limit());
  }

  const CosineRows<A>& rows_;
  A (*length_)(const A*, int64_t);
  Points3<A> base_;
  const A* direct_;
  int64_t direct_stride_;
  const A* norms_;
  int64_t norm_stride_;
  int64_t queries_, dims_, tile_;
  std::vector<A> values_, inverses_;
};

// ---- Int8 -----------------------------------------------------------------------------------------------------------

class CodeSearch {
 public:
  using Key = KeyOf<float>::Key;
  struct State {
    std::vector<int16_t> row;
  };

  CodeSearch(const at::Tensor& queries, const at::Tensor& base, const at::Tensor& norms)
      : rows_(search_rows()),
        base_(base.const_data_ptr<int8_t>()),
        norms_(norms.defined() ? norms.const_data_ptr<float>() : nullptr),
        norm_stride_(norms.defined() ? norms.stride(0) : 0),
        queries_(queries.size(0)),
        dims_(queries.size(1)),
        values_(queries_ * dims_),
        inverses_(queries_) {
    const int8_t* codes = queries.const_data_ptr<int8_t>();
    std::copy_n(codes, queries_ * dims_, values_.data());
    for (int64_t q = 0; q < queries_; ++q) inverses_[q] = inverse(codes + q * dims_, values_.data() + q * dims_);
  }

  int64_t tile() const { return std::clamp<int64_t>((1 << 15) / dims_, 16, 512); }

  State start() const { return {std::vector<int16_t>(dims_)}; }

  void search(State& state, int64_t first, int64_t count, std::vector<BestKeys<Key>>& best) const {
    for (int64_t i = 0; i < count; ++i) {
      const int8_t* row = base_ + (first + i) * dims_;
      float factor;
      if (norms_ != nullptr) {
        factor = inverse_of(norms_[(first + i) * norm_stride_]);
      } else {
        std::copy_n(row, dims_, state.row.data());
        factor = inverse(row, state.row.data());
      }
      for (int64_t start = 0; start < queries_; start += kRowQueries) {
        const int64_t size = std::min(kRowQueries, queries_ - start);
        int32_t products[kRowQueries];
        rows_.code_dots(row, values_.data() + start * dims_, dims_, size, dims_, products);
        for (int64_t j = 0; j < size; ++j) {
          const float score = (static_cast<float>(products[j]) * factor) * inverses_[start + j];
          best[start + j].offer(score_key<float>(score, static_cast<uint32_t>(first + i)));
        }
      }
    }
  }

 private:
  float inverse(const int8_t* codes, const int16_t* widened) const {
    int32_t squares;
    rows_.code_dots(codes, widened, dims_, 1, dims_, &squares);
    return inverse_of(std::sqrt(static_cast<float>(squares)));
  }

  const SearchRows& rows_;
  const int8_t* base_;
  const float* norms_;
  int64_t norm_stride_;
  int64_t queries_, dims_;
  std::vector<int16_t> values_;
  std::vector<float> inverses_;
};

// ---- Bits -----------------------------------------------------------------------------------------------------------

class BitSearch {
 public:
  using Key = uint64_t;
  struct State {};

  BitSearch(const at::Tensor& queries, const at::Tensor& base)
      : rows_(search_rows()),
        queries_(reinterpret_cast<const uint64_t*>(queries.const_data_ptr<int64_t>())),
        base_(reinterpret_cast<const uint64_t*>(base.const_data_ptr<int64_t>())),
        count_(queries.size(0)),
        words_(queries.size(1)) {}

  int64_t tile() const { return std::clamp<int64_t>((1 << 13) / words_, 16, 1024); }

  State start() const { return {}; }

  void search(State&, int64_t first, int64_t count, std::vector<BestKeys<Key>>& best) const {
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t start = 0; start < count_; start += kRowQueries) {
        const int64_t size = std::min(kRowQueries, count_ - start);
        int32_t distances[kRowQueries];
        rows_.differing_bits(base_ + (first + i) * words_, queries_ + start * words_, words_, size, words_, distances);
        for (int64_t j = 0; j < size; ++j) {
          best[start + j].offer(static_cast<uint64_t>(distances[j]) << 32 | static_cast<uint32_t>(first + i));
        }
      }
    }
  }

 private:
  const SearchRows& rows_;
  const uint64_t *queries_, *base_;
  int64_t count_, words_;
};

// ---- Operators ------------------------------------------------------------------------------------------------------

template <typename A, typename Search>
void fill(const Search& search, int64_t rows, int64_t k, const at::Tensor& scores, const at::Tensor& indices) {
  const int64_t queries = scores.size(0);
  auto best = search_tiles<typename KeyOf<A>::Key>(rows, search.tile(), queries, k, search);
  const Points3<A> out(scores.unsqueeze(0));
  std::vector<A> row(k);
  int64_t* at = indices.mutable_data_ptr<int64_t>();
  for (int64_t q = 0; q < queries; ++q) {
    const auto& keys = best[q].finish();
    for (int64_t i = 0; i < k; ++i) {
      row[i] = score_of<A>(keys[i]);
      at[q * k + i] = index_of<A>(keys[i]);
    }
    out.save(0, q, k, row.data());
  }
}

Pair topk_cosine(const at::Tensor& queries, const at::Tensor& base, int64_t k,
                 const std::optional<at::Tensor>& base_norms) {
  topk_cosine_check(queries, base, k, base_norms);
  const at::ScalarType type = base.scalar_type();
  at::Tensor scores =
      at::empty({queries.size(0), k}, queries.options().dtype(type == at::kChar ? at::kFloat : type));
  at::Tensor indices = at::empty({queries.size(0), k}, queries.options().dtype(at::kLong));
  if (queries.size(0) == 0) return {scores, indices};
  const at::Tensor norms = base_norms.value_or(at::Tensor());
  if (type == at::kChar) {
    fill<float>(CodeSearch(queries.contiguous(), base.contiguous(), norms), base.size(0), k, scores, indices);
  } else if (type == at::kDouble) {
    fill<double>(CosineSearch<double>(queries, base, norms), base.size(0), k, scores, indices);
  } else {
    fill<float>(CosineSearch<float>(queries, base, norms), base.size(0), k, scores, indices);
  }
  return {scores, indices};
}

Pair topk_hamming(const at::Tensor& queries, const at::Tensor& base, int64_t k) {
  topk_hamming_check(queries, base, k);
  at::Tensor distances = at::empty({queries.size(0), k}, queries.options().dtype(at::kInt));
  at::Tensor indices = at::empty({queries.size(0), k}, queries.options().dtype(at::kLong));
  if (queries.size(0) == 0) return {distances, indices};
  const at::Tensor words = queries.contiguous(), rows = base.contiguous();
  const BitSearch search(words, rows);
  auto best = search_tiles<uint64_t>(base.size(0), search.tile(), queries.size(0), k, search);
  for (int64_t q = 0; q < queries.size(0); ++q) {
    const auto& keys = best[q].finish();
    for (int64_t i = 0; i < k; ++i) {
      distances.mutable_data_ptr<int32_t>()[q * k + i] = static_cast<int32_t>(keys[i] >> 32);
      indices.mutable_data_ptr<int64_t>()[q * k + i] = static_cast<uint32_t>(keys[i]);
    }
  }
  return {distances, indices};
}

Pair quantize_rows(const at::Tensor& input) {
  topk_cosine_check_rows("quantize_rows", input);
  const int64_t rows = input.size(0), dims = input.size(1);
  at::Tensor codes = at::empty({rows, dims}, input.options().dtype(at::kChar));
  at::Tensor scales = at::empty({rows}, input.options().dtype(at::kFloat));
  const Points3<float> source(input.unsqueeze(0));
  int8_t* out = codes.mutable_data_ptr<int8_t>();
  float* scale = scales.mutable_data_ptr<float>();
  at::parallel_for(0, rows, 64, [&](int64_t begin, int64_t end) {
    std::vector<float> row(dims);
    for (int64_t i = begin; i < end; ++i) {
      source.point(0, i, dims, row.data());
      float largest = 0;
      bool finite = true;
      for (const float value : row) {
        largest = std::max(largest, std::abs(value));
        finite &= std::isfinite(value);
      }
      scale[i] = finite ? largest / 127.0f : std::numeric_limits<float>::quiet_NaN();
      for (int64_t d = 0; d < dims; ++d) {
        out[i * dims + d] = finite && largest > 0 ? static_cast<int8_t>(std::nearbyint(row[d] / largest * 127.0f)) : 0;
      }
    }
  });
  return {codes, scales};
}

at::Tensor pack_bits(const at::Tensor& input) {
  topk_cosine_check_rows("pack_bits", input);
  const int64_t rows = input.size(0), dims = input.size(1), words = (dims + 63) / 64;
  at::Tensor packed = at::empty({rows, words}, input.options().dtype(at::kLong));
  const Points3<double> source(input.unsqueeze(0));
  uint64_t* out = reinterpret_cast<uint64_t*>(packed.mutable_data_ptr<int64_t>());
  at::parallel_for(0, rows, 64, [&](int64_t begin, int64_t end) {
    std::vector<double> row(dims);
    for (int64_t i = begin; i < end; ++i) {
      source.point(0, i, dims, row.data());
      std::fill_n(out + i * words, words, uint64_t{0});
      for (int64_t d = 0; d < dims; ++d) out[i * words + d / 64] |= static_cast<uint64_t>(row[d] > 0) << (d % 64);
    }
  });
  return packed;
}

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("topk_cosine", topk_cosine);
  library.impl("topk_hamming", topk_hamming);
  library.impl("quantize_rows", quantize_rows);
  library.impl("pack_bits", pack_bits);
}

}  // namespace

}  // namespace vision_native
