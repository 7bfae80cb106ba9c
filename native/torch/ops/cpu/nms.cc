// Non-maximum suppression on the CPU. Each box is compared with those kept before it, many at a time, until one covers it:
// as few pairs as the greedy rule allows, and nothing of the size of all pairs is stored.
#include "torch/ops/nms.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <algorithm>

#include "torch/cpu_isa.h"
#include "torch/ops/cpu/nms_order.h"
#include "torch/ops/cpu/nms_sweep.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

/// Boxes that are compared with those kept before all of them, in parallel, and then with one another.
constexpr int64_t kBlock = 256;

template <typename T>
const NmsSweeps<T>& sweeps_for() {
  const NmsTables& tables = for_cpu_isa(kNmsSweepsScalar, kNmsSweepsAvx2, kNmsSweepsAvx512);
  if constexpr (std::is_same_v<T, double>) {
    return tables.wide;
  } else {
    return tables.narrow;
  }
}

template <typename T>
class Suppressor {
 public:
  Suppressor(const at::Tensor& boxes, T threshold)
      : corners_(boxes.const_data_ptr<T>()),
        threshold_(threshold),
        sweeps_(sweeps_for<T>()),
        context_(current_run_context()) {}

  /// Sets `keep` at the places of boxes that stay; `places` are `count` boxes in the order of their scores.
  void run(const int32_t* places, int64_t count, uint8_t* keep) const {
    NmsColumns<T> kept(count);
    bool covered[kBlock];
    for (int64_t start = 0; start < count && !is_cancelled(context_); start += kBlock) {
      const int64_t size = std::min(kBlock, count - start);
      const int64_t before = kept.size();
      // Threads for less work cost more than they save.
      const int64_t grain = std::max<int64_t>(1, (int64_t{1} << 17) / std::max<int64_t>(before, 1));
      at::parallel_for(0, size, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) covered[i] = covers(kept, 0, box(places[start + i]));
      });
      for (int64_t i = 0; i < size; ++i) {
        if (covered[i]) continue;
        const NmsBox<T> candidate = box(places[start + i]);
        if (covers(kept, before, candidate)) continue;
        kept.push(candidate);
        keep[places[start + i]] = 1;
      }
    }
  }

 private:
  NmsBox<T> box(int64_t place) const {
    const T* from = corners_ + 4 * place;
    return nms_box(from[0], from[1], from[2], from[3]);
  }

  bool covers(const NmsColumns<T>& kept, int64_t first, const NmsBox<T>& box) const {
    if (threshold_ >= 0) return sweeps_.covers(kept, first, box, threshold_);
    // Boxes that are apart overlap by 0, which is more.
    for (int64_t i = first; i < kept.size(); ++i) {
      if (nms_overlap(kept[i], box) > threshold_) return true;
    }
    return false;
  }

  const T* corners_;
  T threshold_;
  const NmsSweeps<T>& sweeps_;
  const RunContext* context_;
};

/// Places of `order`, grouped by class, and where each group begins.
struct Groups {
  std::vector<int32_t> places;
  std::vector<int64_t> begins;
};

Groups group_by_class(const std::vector<int32_t>& order, const int64_t* classes) {
  Groups groups{order, {}};
  std::stable_sort(groups.places.begin(), groups.places.end(),
                   [classes](int32_t a, int32_t b) { return classes[a] < classes[b]; });
  for (size_t i = 0; i < groups.places.size(); ++i) {
    if (i == 0 || classes[groups.places[i]] != classes[groups.places[i - 1]]) groups.begins.push_back(i);
  }
  groups.begins.push_back(groups.places.size());
  return groups;
}

template <typename T>
at::Tensor suppress(const at::Tensor& boxes, const at::Tensor& scores, const int64_t* classes, double threshold) {
  const c10::ScalarType type = c10::CppTypeToScalarType<T>::value;
  const at::Tensor corners = boxes.to(type).contiguous(), heights = scores.to(type).contiguous();
  const int64_t count = boxes.size(0);
  const std::vector<int32_t> order = nms_order(heights.const_data_ptr<T>(), count);
  std::vector<uint8_t> keep(count, 0);
  const Suppressor<T> suppressor(corners, floor_to<T>(threshold));
  if (classes == nullptr) {
    suppressor.run(order.data(), count, keep.data());
  } else {
    const Groups groups = group_by_class(order, classes);
    const int64_t kinds = static_cast<int64_t>(groups.begins.size()) - 1;
    at::parallel_for(0, kinds, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        suppressor.run(groups.places.data() + groups.begins[i], groups.begins[i + 1] - groups.begins[i], keep.data());
      }
    });
  }
  check_cancelled();
  at::Tensor result = at::empty({std::count(keep.begin(), keep.end(), 1)}, boxes.options().dtype(at::kLong));
  int64_t* out = result.mutable_data_ptr<int64_t>();
  for (const int32_t place : order) {
    if (keep[place]) *out++ = place;
  }
  return result;
}

at::Tensor nms(const at::Tensor& boxes, const at::Tensor& scores, double iou_threshold) {
  nms_check("nms", boxes, scores);
  nms_check_threshold("nms", "iou_threshold", iou_threshold);
  return nms_type(boxes, scores) == at::kDouble ? suppress<double>(boxes, scores, nullptr, iou_threshold)
                                                : suppress<float>(boxes, scores, nullptr, iou_threshold);
}

at::Tensor batched_nms(const at::Tensor& boxes, const at::Tensor& scores, const at::Tensor& idxs,
                       double iou_threshold) {
  nms_check("batched_nms", boxes, scores);
  nms_check_threshold("batched_nms", "iou_threshold", iou_threshold);
  nms_check_classes(boxes, idxs);
  const at::Tensor classes = idxs.contiguous();
  const int64_t* data = classes.const_data_ptr<int64_t>();
  return nms_type(boxes, scores) == at::kDouble ? suppress<double>(boxes, scores, data, iou_threshold)
                                                : suppress<float>(boxes, scores, data, iou_threshold);
}

/// Takes the highest score, lowers those of the boxes it overlaps, and so on.
template <typename T>
std::tuple<at::Tensor, at::Tensor> soften(const at::Tensor& boxes, const at::Tensor& scores,
                                          const SoftNmsOptions& options) {
  const c10::ScalarType type = c10::CppTypeToScalarType<T>::value;
  const at::Tensor corners = boxes.to(type).contiguous(), heights = scores.to(type).contiguous();
  const T* corner = corners.const_data_ptr<T>();
  const T* height = heights.const_data_ptr<T>();
  int64_t count = boxes.size(0);
  constexpr T lowest = -std::numeric_limits<T>::infinity();
  NmsColumns<T> columns(count);
  std::vector<T> left(count + kNmsMostLanes, lowest);
  std::vector<int32_t> places(count);
  for (int64_t i = 0; i < count; ++i) {
    const T* from = corner + 4 * i;
    columns.push(nms_box(from[0], from[1], from[2], from[3]));
    left[i] = height[i];
    places[i] = static_cast<int32_t>(i);
  }
  const bool linear = options.decay == SoftNmsDecay::kLinear;
  const auto decay = linear ? sweeps_for<T>().decay_linear : sweeps_for<T>().decay_gaussian;
  const T parameter = linear ? ceil_to<T>(options.iou_threshold) : static_cast<T>(1 / options.sigma);
  const T least = ceil_to<T>(options.score_threshold);
  std::vector<int64_t> chosen;
  std::vector<T> lowered;
  // A box that overlaps nothing finds the first.
  constexpr T far = std::numeric_limits<T>::infinity();
  NmsBest<T> best = decay(columns, count, {far, far, -far, -far, T(0)}, left.data(), parameter, least);
  while (best.left > 0) {
    check_cancelled();
    chosen.push_back(places[best.index]);
    lowered.push_back(best.score);
    const NmsBox<T> box = columns[best.index];
    left[best.index] = lowest;
    // Sweeps pass over boxes without a score; once they are half, the others move up in their order.
    if (2 * best.left <= count && count > kNmsMostLanes) {
      int64_t to = 0;
      for (int64_t i = 0; i < count; ++i) {
        if (left[i] == lowest) continue;
        columns.put(to, columns[i]);
        left[to] = left[i];
        places[to++] = places[i];
      }
      std::fill(left.begin() + to, left.begin() + count, lowest);
      count = to;
    }
    best = decay(columns, count, box, left.data(), parameter, least);
  }
  const int64_t size = static_cast<int64_t>(chosen.size());
  at::Tensor keep = at::empty({size}, boxes.options().dtype(at::kLong));
  at::Tensor kept_scores = at::empty({size}, heights.options());
  std::copy(chosen.begin(), chosen.end(), keep.mutable_data_ptr<int64_t>());
  std::copy(lowered.begin(), lowered.end(), kept_scores.mutable_data_ptr<T>());
  return {std::move(keep), kept_scores.to(scores.scalar_type())};
}

std::tuple<at::Tensor, at::Tensor> soft_nms(const at::Tensor& boxes, const at::Tensor& scores, double iou_threshold,
                                            double sigma, double score_threshold, c10::string_view method) {
  nms_check("soft_nms", boxes, scores);
  const SoftNmsOptions options = soft_nms_options(iou_threshold, sigma, score_threshold, method);
  return nms_type(boxes, scores) == at::kDouble ? soften<double>(boxes, scores, options)
                                                : soften<float>(boxes, scores, options);
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CPU, library) {
  library.impl("nms", nms);
  library.impl("batched_nms", batched_nms);
  library.impl("soft_nms", soft_nms);
}

}  // namespace vision_native
