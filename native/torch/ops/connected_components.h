#pragma once
// Checks and geometry that the devices share for connected components and for statistics of labels.
#include <ATen/core/Tensor.h>

#include <vector>

#include "torch/run_context.h"

namespace vision_native {

/// Images, or volumes, of a batch. An image has depth 1.
struct LabelGrid {
  int64_t dims;  ///< 2 or 3: how many of the last axes are of space
  int64_t batch, depth, height, width;

  int64_t rows() const { return depth * height; }
  int64_t voxels() const { return depth * height * width; }
};

/// 4 and 8 are of images, 6, 18 and 26 of volumes.
VISION_NATIVE_API int64_t label_dims_of(const char* op, int64_t connectivity);

/// The last `dims` axes of `tensor` are of space, all before them of the batch.
VISION_NATIVE_API LabelGrid label_grid(const at::Tensor& tensor, int64_t dims);

/// Throws unless `input` can be divided into components.
VISION_NATIVE_API LabelGrid components_check(const at::Tensor& input, int64_t connectivity);

/// Throws unless there can be statistics of `labels`.
VISION_NATIVE_API LabelGrid statistics_check(const at::Tensor& labels, int64_t count, int64_t dims);

/// Sizes of the axes before those of space.
VISION_NATIVE_API std::vector<c10::SymInt> label_batch_sizes(const at::Tensor& tensor, int64_t dims);

}  // namespace vision_native
