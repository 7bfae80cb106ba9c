// Connected components and statistics of labels: schemas, checks and shapes.
#include "torch/ops/connected_components.h"

#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <limits>

namespace vision_native {

namespace {

constexpr int64_t kMostLabels = std::numeric_limits<int32_t>::max();

std::tuple<at::Tensor, at::Tensor> components_meta(const at::Tensor& input, int64_t connectivity) {
  components_check(input, connectivity);
  const auto sizes = label_batch_sizes(input, label_dims_of("connected_components", connectivity));
  return {at::empty_symint(input.sym_sizes(), input.options().dtype(at::kInt)),
          at::empty_symint(sizes, input.options().dtype(at::kLong))};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> statistics_meta(const at::Tensor& labels, int64_t count, int64_t dims) {
  statistics_check(labels, count, dims);
  auto sizes = label_batch_sizes(labels, dims);
  sizes.emplace_back(count + 1);
  auto sizes_of = [&](int64_t last) {
    auto all = sizes;
    all.emplace_back(last);
    return all;
  };
  const auto longs = labels.options().dtype(at::kLong);
  return {at::empty_symint(sizes, longs), at::empty_symint(sizes_of(2 * dims), longs),
          at::empty_symint(sizes_of(dims), labels.options().dtype(at::kDouble))};
}

TORCH_LIBRARY_FRAGMENT(vision_native, library) {
  library.def("connected_components(Tensor input, *, int connectivity=8) -> (Tensor labels, Tensor count)");
  // Rows are of label 0 … count; a box is the first place and the one behind the last, axis by axis.
  library.def("label_statistics(Tensor labels, int count, *, int dims=2) -> (Tensor area, Tensor box, Tensor centroid)");
}

TORCH_LIBRARY_IMPL(vision_native, Meta, library) {
  library.impl("connected_components", components_meta);
  library.impl("label_statistics", statistics_meta);
}

}  // namespace

int64_t label_dims_of(const char* op, int64_t connectivity) {
  switch (connectivity) {
    case 4:
    case 8: return 2;
    case 6:
    case 18:
    case 26: return 3;
    default:
      TORCH_CHECK_VALUE(false, op, ": connectivity is 4 or 8 for images, 6, 18 or 26 for volumes, got ", connectivity);
  }
}

LabelGrid label_grid(const at::Tensor& tensor, int64_t dims) {
  LabelGrid grid{dims, 1, dims == 3 ? tensor.size(-3) : 1, tensor.size(-2), tensor.size(-1)};
  for (int64_t axis = 0; axis < tensor.dim() - dims; ++axis) grid.batch *= tensor.size(axis);
  return grid;
}

std::vector<c10::SymInt> label_batch_sizes(const at::Tensor& tensor, int64_t dims) {
  const auto sizes = tensor.sym_sizes();
  return {sizes.begin(), sizes.end() - dims};
}

LabelGrid components_check(const at::Tensor& input, int64_t connectivity) {
  constexpr const char* op = "connected_components";
  const int64_t dims = label_dims_of(op, connectivity);
  const c10::ScalarType type = input.scalar_type();
  TORCH_CHECK_TYPE(at::isIntegralType(type, true), op, ": the input is bool or integer, got ", type,
                   "; compare it with a threshold, such as x.gt(0.5)");
  TORCH_CHECK(input.dim() >= dims, op, ": connectivity ", connectivity, " is of ", dims, " dimensions, got shape ",
              input.sym_sizes());
  if (input.is_meta()) return {};
  const LabelGrid grid = label_grid(input, dims);
  TORCH_CHECK(grid.width <= kMostLabels, op, ": rows are ", kMostLabels, " wide at most, got shape ", input.sizes());
  return grid;
}

LabelGrid statistics_check(const at::Tensor& labels, int64_t count, int64_t dims) {
  constexpr const char* op = "label_statistics";
  TORCH_CHECK_VALUE(dims == 2 || dims == 3, op, ": dims is 2 for images or 3 for volumes, got ", dims);
  TORCH_CHECK_TYPE(labels.scalar_type() == at::kInt, op, ": labels are int32, got ", labels.scalar_type(),
                   "; convert them");
  TORCH_CHECK(labels.dim() >= dims, op, ": labels have ", dims, " dimensions or more, got shape ", labels.sym_sizes());
  TORCH_CHECK_VALUE(count >= 0 && count < kMostLabels, op, ": count, the largest label, is 0 to ", kMostLabels - 1,
                    ", got ", count);
  if (labels.is_meta()) return {};
  const LabelGrid grid = label_grid(labels, dims);
  // Labels that no voxel has take memory all the same.
  TORCH_CHECK_VALUE(count <= std::max<int64_t>(grid.voxels(), 1 << 20), op, ": count, the largest label, is ", count,
                    " for ", grid.voxels(), " places; number the labels without gaps");
  TORCH_CHECK(grid.width <= kMostLabels, op, ": rows are ", kMostLabels, " wide at most, got shape ", labels.sizes());
  return grid;
}

}  // namespace vision_native
