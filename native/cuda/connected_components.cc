// Connected components and statistics of labels on CUDA: tensors to raw pointers. The kernels are in the .cu file.
#include "torch/ops/connected_components.h"

#include <ATen/ops/cumsum.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <limits>

#include "cuda/connected_components.h"

namespace vision_native {

namespace {

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

cuda::LabelVolume volume_of(const char* op, const LabelGrid& grid) {
  TORCH_CHECK(grid.voxels() < std::numeric_limits<int32_t>::max(), op, ": an image on CUDA has fewer than ",
              std::numeric_limits<int32_t>::max(), " places, got ", grid.voxels(), "; divide it, or use the CPU");
  return {grid.batch, grid.depth, grid.height, grid.width};
}

std::tuple<at::Tensor, at::Tensor> components_cuda(const at::Tensor& input, int64_t connectivity) {
  const LabelGrid grid = components_check(input, connectivity);
  const c10::cuda::CUDAGuard guard(input.device());
  const auto batch_sizes = input.sizes().slice(0, input.dim() - grid.dims);
  at::Tensor labels = at::empty(input.sizes(), input.options().dtype(at::kInt).memory_format(at::MemoryFormat::Contiguous));
  if (labels.numel() == 0) return {labels, at::zeros(batch_sizes, input.options().dtype(at::kLong))};
  const cuda::LabelVolume volume = volume_of("connected_components", grid);
  const at::Tensor values = input.contiguous();
  at::Tensor roots = at::empty({grid.batch, grid.voxels()}, labels.options());
  cuda::launch_components(values.const_data_ptr(), static_cast<int>(values.element_size()), volume, connectivity,
                          labels.mutable_data_ptr<int32_t>(), roots.mutable_data_ptr<int32_t>(), stream());
  const at::Tensor numbers = at::cumsum(roots, 1, at::kInt);
  cuda::launch_numbering(numbers.const_data_ptr<int32_t>(), volume, labels.mutable_data_ptr<int32_t>(), stream());
  return {labels, numbers.select(1, grid.voxels() - 1).to(at::kLong).reshape(batch_sizes)};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> statistics_cuda(const at::Tensor& labels, int64_t count, int64_t dims) {
  const LabelGrid grid = statistics_check(labels, count, dims);
  const c10::cuda::CUDAGuard guard(labels.device());
  const cuda::LabelVolume volume = volume_of("label_statistics", grid);
  std::vector<int64_t> sizes(labels.sizes().begin(), labels.sizes().end() - dims);
  sizes.push_back(count + 1);
  const auto with = [&](int64_t last) {
    auto all = sizes;
    all.push_back(last);
    return all;
  };
  const auto longs = labels.options().dtype(at::kLong);
  at::Tensor area = at::empty(sizes, longs), box = at::empty(with(2 * dims), longs), sum = at::empty(with(dims), longs);
  at::Tensor centroid = at::empty(with(dims), labels.options().dtype(at::kDouble));
  if (area.numel() == 0) return {area, box, centroid};
  at::Tensor wrong = at::zeros({1}, labels.options().dtype(at::kInt));
  const at::Tensor values = labels.contiguous();
  cuda::launch_statistics(values.const_data_ptr<int32_t>(), volume, count, static_cast<int>(dims),
                          {area.mutable_data_ptr<int64_t>(), box.mutable_data_ptr<int64_t>(),
                           sum.mutable_data_ptr<int64_t>(), wrong.mutable_data_ptr<int32_t>()},
                          centroid.mutable_data_ptr<double>(), stream());
  TORCH_CHECK_VALUE(wrong.item<int32_t>() == 0, "label_statistics: a label is not in 0 to ", count,
                    ", the count that was given");
  return {area, box, centroid};
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("connected_components", components_cuda);
  library.impl("label_statistics", statistics_cuda);
}

}  // namespace vision_native
