// Non-maximum suppression on CUDA: tensors to raw pointers. The kernels are in the .cu files. How many boxes stay is read
// back once, at the end: it is the size of the result.
#include "torch/ops/nms.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "cuda/nms.h"
#include "torch/run_context.h"

namespace vision_native {

namespace {

cudaStream_t stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

uint64_t* words_of(const at::Tensor& tensor) {
  return reinterpret_cast<uint64_t*>(tensor.mutable_data_ptr<int64_t>());
}

template <typename T>
at::Tensor suppress(const at::Tensor& boxes, const at::Tensor& scores, const at::Tensor& idxs, double threshold) {
  const c10::cuda::CUDAGuard guard(boxes.device());
  const int64_t count = boxes.size(0);
  const at::TensorOptions longs = boxes.options().dtype(at::kLong);
  if (count == 0) return at::empty({0}, longs);
  const at::Tensor order =
      std::get<1>(at::sort(scores, /*stable=*/std::optional<bool>(true), /*dim=*/0, /*descending=*/true));
  const at::Tensor corners = boxes.index_select(0, order).to(c10::CppTypeToScalarType<T>::value).contiguous();
  const at::Tensor classes = idxs.defined() ? idxs.index_select(0, order).contiguous() : at::Tensor();
  const cuda::NmsBoxes<T> call{corners.const_data_ptr<T>(),
                               classes.defined() ? classes.const_data_ptr<int64_t>() : nullptr, count,
                               floor_to<T>(threshold)};
  const int64_t band = cuda::nms_band(count);
  const at::Tensor bits = at::empty({band, call.words()}, longs);
  const at::Tensor removed = at::zeros({call.words()}, longs), kept = at::zeros({call.words()}, longs);
  for (int64_t first = 0; first < count; first += band) {
    check_cancelled();
    cuda::launch_nms_band(call, first, band, words_of(bits), words_of(removed), words_of(kept), stream());
  }
  const at::Tensor places = at::empty({count}, longs), size = at::empty({1}, longs);
  cuda::launch_nms_gather(words_of(kept), order.const_data_ptr<int64_t>(), call.words(),
                          places.mutable_data_ptr<int64_t>(), size.mutable_data_ptr<int64_t>(), stream());
  return places.narrow(0, 0, size.item<int64_t>()).clone();
}

at::Tensor nms(const at::Tensor& boxes, const at::Tensor& scores, double iou_threshold) {
  nms_check("nms", boxes, scores);
  nms_check_threshold("nms", "iou_threshold", iou_threshold);
  return nms_type(boxes, scores) == at::kDouble ? suppress<double>(boxes, scores, {}, iou_threshold)
                                                : suppress<float>(boxes, scores, {}, iou_threshold);
}

at::Tensor batched_nms(const at::Tensor& boxes, const at::Tensor& scores, const at::Tensor& idxs,
                       double iou_threshold) {
  nms_check("batched_nms", boxes, scores);
  nms_check_threshold("batched_nms", "iou_threshold", iou_threshold);
  nms_check_classes(boxes, idxs);
  return nms_type(boxes, scores) == at::kDouble ? suppress<double>(boxes, scores, idxs, iou_threshold)
                                                : suppress<float>(boxes, scores, idxs, iou_threshold);
}

template <typename T>
std::tuple<at::Tensor, at::Tensor> soften(const at::Tensor& boxes, const at::Tensor& scores,
                                          const SoftNmsOptions& options) {
  const c10::cuda::CUDAGuard guard(boxes.device());
  const c10::ScalarType type = c10::CppTypeToScalarType<T>::value;
  const int64_t count = boxes.size(0);
  const at::Tensor corners = boxes.to(type).contiguous();
  const at::Tensor left = scores.to(type, /*non_blocking=*/false, /*copy=*/true).contiguous();
  const at::TensorOptions longs = boxes.options().dtype(at::kLong);
  const at::Tensor keep = at::empty({count}, longs), size = at::zeros({1}, longs);
  const at::Tensor lowered = at::empty({count}, left.options());
  if (count > 0) {
    cuda::launch_soft_nms<T>({corners.const_data_ptr<T>(), left.mutable_data_ptr<T>(), count,
                              options.decay == SoftNmsDecay::kGaussian, ceil_to<T>(options.iou_threshold),
                              static_cast<T>(1 / options.sigma), ceil_to<T>(options.score_threshold),
                              keep.mutable_data_ptr<int64_t>(), lowered.mutable_data_ptr<T>(),
                              size.mutable_data_ptr<int64_t>()},
                             stream());
  }
  const int64_t kept = size.item<int64_t>();
  return {keep.narrow(0, 0, kept).clone(), lowered.narrow(0, 0, kept).to(scores.scalar_type(), false, true)};
}

std::tuple<at::Tensor, at::Tensor> soft_nms(const at::Tensor& boxes, const at::Tensor& scores, double iou_threshold,
                                            double sigma, double score_threshold, c10::string_view method) {
  nms_check("soft_nms", boxes, scores);
  const SoftNmsOptions options = soft_nms_options(iou_threshold, sigma, score_threshold, method);
  return nms_type(boxes, scores) == at::kDouble ? soften<double>(boxes, scores, options)
                                                : soften<float>(boxes, scores, options);
}

}  // namespace

TORCH_LIBRARY_IMPL(vision_native, CUDA, library) {
  library.impl("nms", nms);
  library.impl("batched_nms", batched_nms);
  library.impl("soft_nms", soft_nms);
}

}  // namespace vision_native
