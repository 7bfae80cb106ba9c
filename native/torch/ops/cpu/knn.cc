// CPU driver of nearest neighbours. Points of few dimensions are scanned; for others a matrix product in tiles gives bounds
// of distances, and those that may be among the nearest are computed from differences. Distances are the same whatever the
// tiles, the threads and the library of the product are.
#include "torch/ops/knn.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <torch/library.h>

#include <cmath>
#include <vector>

#include "torch/ops/cpu/knn_clouds.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Queries that a thread takes at once.
constexpr int64_t kScanned = 32;
/// Sides of a tile of the matrix product: queries and reference points.
constexpr int64_t kTileQueries = 64;
constexpr int64_t kTileReferences = 512;
/// Reference points whose gradients a thread sums at once.
constexpr int64_t kTargets = 256;

template <typename Key>
void cut(Key* keys, int64_t k, int64_t count) {
  std::nth_element(keys, keys + k - 1, keys + count);
}

template <typename Key>
void order(Key* keys, int64_t k, int64_t count) {
  if (count > 2 * k) cut(keys, k, count), count = k;
  std::sort(keys, keys + count);
}

/// Keys of `k` neighbours, and room for more.
template <typename A>
class Selection {
 public:
  using Key = typename KeyOf<A>::Key;

  /// Scratch is for scans.
  Selection(int64_t k, bool scanned) : keys_(2 * k + 64), scratch_(scanned ? kBoundedPoints + 4 * k + 64 : 0) {
    found_ = {keys_.data(), k, static_cast<int64_t>(keys_.size()), 0, 0, scratch_.data(), cut<Key>, order<Key>};
    restart();
  }

  void restart() {
    found_.count = 0;
    found_.limit = std::numeric_limits<A>::infinity();
  }

  Neighbours<A>& found() { return found_; }

  /// The `wanted` smallest keys in order, where there are so many.
  bool finish(int64_t wanted) {
    if (found_.count < wanted) return false;
    if (found_.k > kSortedNeighbours) std::partial_sort(keys_.data(), keys_.data() + wanted, keys_.data() + found_.count);
    return true;
  }

 private:
  std::vector<Key> keys_;
  std::vector<A> scratch_;
  Neighbours<A> found_;
};

template <typename A>
class NearestNeighbours {
 public:
  NearestNeighbours(const at::Tensor& query, const at::Tensor& reference, int64_t k, std::vector<int64_t> query_lengths,
                    std::vector<int64_t> reference_lengths, const at::Tensor& distances, const at::Tensor& indices)
      : scans_(point_scans<A>()),
        query_(query),
        reference_(reference),
        distances_(distances),
        indices_(indices.mutable_data_ptr<int64_t>()),
        batch_(query.size(0)),
        queries_(query.size(1)),
        dims_(query.size(2)),
        k_(k),
        query_lengths_(std::move(query_lengths)),
        reference_lengths_(std::move(reference_lengths)),
        context_(current_run_context()) {}

  void run() const {
    for (int64_t b = 0; b < batch_; ++b) {
      pad(b);
      if (dims_ <= kScannedDims) {
        scan(b);
      } else {
        multiply(b);
      }
      check_cancelled();
    }
  }

 private:
  /// Queries that no cloud has.
  void pad(int64_t b) const {
    const std::vector<A> none(k_, A(0));
    for (int64_t i = query_lengths_[b]; i < queries_; ++i) {
      distances_.save(b, i, k_, none.data());
      std::fill_n(indices_ + (b * queries_ + i) * k_, k_, int64_t{-1});
    }
  }

  void save(int64_t b, int64_t i, const typename KeyOf<A>::Key* keys, int64_t count, A* row) const {
    int64_t* indices = indices_ + (b * queries_ + i) * k_;
    for (int64_t j = 0; j < k_; ++j) {
      row[j] = j < count ? distance_of<A>(keys[j]) : std::numeric_limits<A>::infinity();
      indices[j] = j < count ? index_of<A>(keys[j]) : int64_t{-1};
    }
    distances_.save(b, i, k_, row);
  }

  /// Where distances are infinite or NaN, all of them are ranked.
  template <typename Distance>
  void rank_all(int64_t b, int64_t i, int64_t wanted, const Distance& distance, A* row) const {
    std::vector<typename KeyOf<A>::Key> keys(reference_lengths_[b]);
    for (int64_t j = 0; j < reference_lengths_[b]; ++j) keys[j] = near_key(distance(j), static_cast<uint32_t>(j));
    std::partial_sort(keys.begin(), keys.begin() + wanted, keys.end());
    save(b, i, keys.data(), wanted, row);
  }

  void scan(int64_t b) const {
    const int64_t wanted = std::min(k_, reference_lengths_[b]);
    const UnpackedCloud<A> unpacked(reference_, b, reference_lengths_[b], dims_);
    const Cloud<A>& cloud = unpacked.cloud;
    at::parallel_for(0, query_lengths_[b], kScanned, [&](int64_t begin, int64_t end) {
      Selection<A> selection(k_, true);
      std::vector<A> row(k_);
      A point[kScannedDims];
      const auto distance = [&](int64_t j) {
        A sum = 0;
        for (int64_t d = 0; d < dims_; ++d) {
          const A step = cloud.data[d * cloud.stride + j] - point[d];
          sum += step * step;
        }
        return sum;
      };
      for (int64_t i = begin; i < end; ++i) {
        if (i % kScanned == 0 && is_cancelled(context_)) return;
        query_.point(b, i, dims_, point);
        Neighbours<A>& found = selection.found();
        selection.restart();
        if (k_ == 1) {
          A nearest = 0;
          const int64_t at = scans_.nearest(cloud, point, &nearest);
          if (at >= 0) found.keys[found.count++] = near_key(nearest, static_cast<uint32_t>(at));
        } else {
          scans_.neighbours(cloud, point, found);
        }
        if (selection.finish(wanted)) {
          save(b, i, found.keys, wanted, row.data());
        } else {
          rank_all(b, i, wanted, distance, row.data());
        }
      }
    });
  }

  /// Points as rows, and their squared lengths.
  struct Rows {
    at::Tensor memory, lengths;
    A* data;
    A* length;
  };

  Rows rows(const Points3<A>& points, int64_t b, int64_t count) const {
    Rows rows{at::empty({count, dims_}, at::TensorOptions().dtype(kTypeOf<A>)),
              at::empty({count}, at::TensorOptions().dtype(kTypeOf<A>)), nullptr, nullptr};
    rows.data = rows.memory.template mutable_data_ptr<A>();
    rows.length = rows.lengths.template mutable_data_ptr<A>();
    at::parallel_for(0, count, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        points.point(b, i, dims_, rows.data + i * dims_);
        rows.length[i] = scans_.length(rows.data + i * dims_, dims_);
      }
    });
    return rows;
  }

  void multiply(int64_t b) const {
    const int64_t count = query_lengths_[b], others = reference_lengths_[b];
    const int64_t wanted = std::min(k_, others);
    const Rows queries = rows(query_, b, count), references = rows(reference_, b, others);
    // Sums of D products in any order, of three terms; and the distance itself, of differences.
    const A error = A(4 * dims_ + 32) * std::numeric_limits<A>::epsilon();
    const int64_t blocks = (count + kTileQueries - 1) / kTileQueries;
    at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
      const at::AutoDispatchBelowADInplaceOrView guard;
      const at::TensorOptions options = at::TensorOptions().dtype(kTypeOf<A>);
      std::vector<A> products(kTileQueries * kTileReferences), row(k_);
      std::vector<int32_t> places(kTileReferences);
      std::vector<Selection<A>> selections;
      selections.reserve(kTileQueries);
      for (int64_t i = 0; i < kTileQueries; ++i) selections.emplace_back(k_, false);
      for (int64_t block = begin; block < end; ++block) {
        const int64_t first = block * kTileQueries;
        const int64_t size = std::min(kTileQueries, count - first);
        for (auto& selection : selections) selection.restart();
        const at::Tensor left = at::from_blob(queries.data + first * dims_, {size, dims_}, options);
        for (int64_t start = 0; start < others; start += kTileReferences) {
          if (is_cancelled(context_)) return;
          const int64_t width = std::min(kTileReferences, others - start);
          const at::Tensor right = at::from_blob(references.data + start * dims_, {dims_, width}, {1, dims_}, options);
          at::Tensor out = at::from_blob(products.data(), {size, width}, options);
          at::mm_out(out, left, right);
          for (int64_t i = 0; i < size; ++i) {
            Neighbours<A>& nearest = selections[i].found();
            const A* point = queries.data + (first + i) * dims_;
            const A length = queries.length[first + i];
            const A* product = products.data() + i * width;
            const int64_t found = scans_.candidates(product, references.length + start, length, width, nearest.limit,
                                                    error, places.data());
            for (int64_t j = 0; j < found; ++j) {
              const int64_t index = start + places[j];
              // The limit may have fallen since.
              const A low = (references.length[index] + length) * (A(1) - error) - A(2) * product[places[j]];
              if (!(low >= nearest.limit)) {
                nearest.offer(scans_.distance(references.data + index * dims_, point, dims_), index);
              }
            }
          }
        }
        for (int64_t i = 0; i < size; ++i) {
          const A* point = queries.data + (first + i) * dims_;
          if (selections[i].finish(wanted)) {
            save(b, first + i, selections[i].found().keys, wanted, row.data());
          } else {
            rank_all(b, first + i, wanted,
                     [&](int64_t j) { return scans_.distance(references.data + j * dims_, point, dims_); }, row.data());
          }
        }
      }
    });
  }

  const PointScans<A>& scans_;
  Points3<A> query_, reference_, distances_;
  int64_t* indices_;
  int64_t batch_, queries_, dims_, k_;
  std::vector<int64_t> query_lengths_, reference_lengths_;
  const RunContext* context_;
};

/// Sums in the order of the queries, for every number of threads.
template <typename A>
class NeighbourGradients {
 public:
  NeighbourGradients(const at::Tensor& grad, const at::Tensor& query, const at::Tensor& reference,
                     const at::Tensor& indices, bool rooted)
      : grad_(grad),
        query_(query),
        reference_(reference),
        indices_(indices.const_data_ptr<int64_t>()),
        batch_(query.size(0)),
        queries_(query.size(1)),
        references_(reference.size(1)),
        dims_(query.size(2)),
        k_(indices.size(2)),
        rooted_(rooted) {}

  void by_query(const at::Tensor& out) const {
    const Points3<A> result(out);
    at::parallel_for(0, batch_ * queries_, 256, [&](int64_t begin, int64_t end) {
      std::vector<A> sums(dims_), step(dims_), point(dims_), slopes(k_);
      for (int64_t item = begin; item < end; ++item) {
        const int64_t b = item / queries_, i = item % queries_;
        std::fill(sums.begin(), sums.end(), A(0));
        query_.point(b, i, dims_, point.data());
        grad_.point(b, i, k_, slopes.data());
        for (int64_t j = 0; j < k_; ++j) {
          const int64_t index = indices_[item * k_ + j];
          if (index < 0) continue;
          reference_.point(b, index, dims_, step.data());
          const A slope = slope_of(point.data(), step.data(), slopes[j]);
          for (int64_t d = 0; d < dims_; ++d) sums[d] += slope * (point[d] - step[d]);
        }
        result.save(b, i, dims_, sums.data());
      }
    });
  }

  void by_reference(const at::Tensor& out) const {
    const Points3<A> result(out);
    const int64_t blocks = (references_ + kTargets - 1) / kTargets;
    // Pairs in the order of their reference points, and of queries among those of one.
    std::vector<int64_t> starts(references_ + 1), pairs(queries_ * k_);
    for (int64_t b = 0; b < batch_; ++b) {
      const int64_t* indices = indices_ + b * queries_ * k_;
      std::fill(starts.begin(), starts.end(), int64_t{0});
      for (int64_t pair = 0; pair < queries_ * k_; ++pair) {
        if (indices[pair] >= 0) ++starts[indices[pair] + 1];
      }
      for (int64_t m = 0; m < references_; ++m) starts[m + 1] += starts[m];
      std::vector<int64_t> next(starts.begin(), starts.end() - 1);
      for (int64_t pair = 0; pair < queries_ * k_; ++pair) {
        if (indices[pair] >= 0) pairs[next[indices[pair]]++] = pair;
      }
      at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
        std::vector<A> sums(dims_), step(dims_), point(dims_), slopes(k_);
        for (int64_t m = begin * kTargets; m < std::min(end * kTargets, references_); ++m) {
          std::fill(sums.begin(), sums.end(), A(0));
          reference_.point(b, m, dims_, point.data());
          for (int64_t at = starts[m]; at < starts[m + 1]; ++at) {
            query_.point(b, pairs[at] / k_, dims_, step.data());
            grad_.point(b, pairs[at] / k_, k_, slopes.data());
            const A slope = slope_of(point.data(), step.data(), slopes[pairs[at] % k_]);
            for (int64_t d = 0; d < dims_; ++d) sums[d] += slope * (point[d] - step[d]);
          }
          result.save(b, m, dims_, sums.data());
        }
      });
    }
  }

 private:
  /// Of the difference of two points; at distance 0 a root has the slope 0.
  A slope_of(const A* a, const A* b, A grad) const {
    if (!rooted_) return 2 * grad;
    A sum = 0;
    for (int64_t d = 0; d < dims_; ++d) sum += (a[d] - b[d]) * (a[d] - b[d]);
    return sum == 0 ? A(0) : grad / std::sqrt(sum);
  }

  Points3<A> grad_, query_, reference_;
  const int64_t* indices_;
  int64_t batch_, queries_, references_, dims_, k_;
  bool rooted_;
};

std::tuple<at::Tensor, at::Tensor> knn(const at::Tensor& query, const at::Tensor& reference, int64_t k,
                                       const OptionalTensor& query_lengths, const OptionalTensor& reference_lengths) {
  knn_check(query, reference, k, query_lengths, reference_lengths);
  return knn_cpu(query, reference, k, query_lengths, reference_lengths);
}

std::tuple<at::Tensor, at::Tensor> knn_backward(const at::Tensor& grad, const at::Tensor& query,
                                                const at::Tensor& reference, const at::Tensor& indices, bool query_grad,
                                                bool reference_grad) {
  knn_check_backward("_knn_backward", grad, query, reference, indices);
  return knn_backward_cpu(grad, query, reference, indices, false, query_grad, reference_grad);
}

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("knn", knn);
  library.impl("_knn_backward", knn_backward);
}

}  // namespace

std::tuple<at::Tensor, at::Tensor> knn_cpu(const at::Tensor& query, const at::Tensor& reference, int64_t k,
                                           const OptionalTensor& query_lengths,
                                           const OptionalTensor& reference_lengths) {
  at::Tensor distances = at::empty({query.size(0), query.size(1), k}, query.options());
  at::Tensor indices = at::empty({query.size(0), query.size(1), k}, query.options().dtype(at::kLong));
  std::vector<int64_t> first = cloud_lengths(query_lengths, query);
  std::vector<int64_t> second = cloud_lengths(reference_lengths, reference);
  if (query.scalar_type() == at::kDouble) {
    NearestNeighbours<double>(query, reference, k, std::move(first), std::move(second), distances, indices).run();
  } else {
    NearestNeighbours<float>(query, reference, k, std::move(first), std::move(second), distances, indices).run();
  }
  return {distances, indices};
}

std::tuple<at::Tensor, at::Tensor> knn_backward_cpu(const at::Tensor& grad, const at::Tensor& query,
                                                    const at::Tensor& reference, const at::Tensor& indices, bool rooted,
                                                    bool query_grad, bool reference_grad) {
  const at::Tensor neighbours = indices.contiguous();
  const int64_t* values = neighbours.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < neighbours.numel(); ++i) {
    TORCH_CHECK_VALUE(values[i] >= -1 && values[i] < reference.size(1), "the gradient of neighbours: index ", values[i],
                      " is not one of ", reference.size(1), " points, nor -1");
  }
  at::Tensor by_query = query_grad ? at::empty(query.sizes(), query.options()) : at::empty({0}, query.options());
  at::Tensor by_reference =
      reference_grad ? at::empty(reference.sizes(), reference.options()) : at::empty({0}, reference.options());
  const auto run = [&](const auto& gradients) {
    if (query_grad) gradients.by_query(by_query);
    if (reference_grad) gradients.by_reference(by_reference);
  };
  if (query.scalar_type() == at::kDouble) {
    run(NeighbourGradients<double>(grad, query, reference, neighbours, rooted));
  } else {
    run(NeighbourGradients<float>(grad, query, reference, neighbours, rooted));
  }
  return {by_query, by_reference};
}

}  // namespace vision_native
