#pragma once
// The box filter and the guided filter on CUDA: what the host hands to the kernels. Neither ATen nor c10 is known here.
//
// An item is a channel c of an image b of the input, or a whole image where the channels share a result.
#include <cuda_runtime.h>

#include <cstdint>

#include "torch/ops/box_filter_axis.h"
#include "torch/ops/guided_filter_grid.h"

namespace vision_native::cuda {

enum class BoxType { kFloat, kDouble, kHalf, kBFloat16 };

/// Planes `[b, c, field]` of rows and columns; strides in elements.
struct BoxPlanes {
  const void* data;
  int64_t batch, channel, field, row, column;

  __host__ __device__ int64_t at(int64_t b, int64_t c, int64_t f = 0) const { return b * batch + c * channel + f * field; }
};

/// Planes that are written; their columns lie side by side.
struct BoxTargets {
  void* data;
  int64_t batch, channel, field, row;

  __host__ __device__ int64_t at(int64_t b, int64_t c, int64_t f = 0) const { return b * batch + c * channel + f * field; }
};

/// Windows over `batch`·`channels` items, in bands of rows after which sums restart.
struct BoxWindows {
  BoxAxis rows, columns;
  int64_t batch, channels, band;

  __host__ __device__ int64_t items() const { return batch * channels; }
};

struct GuidedEps {
  double value;
  const double* device;  ///< or null; not checked by the host, NaN where it is not a number of 0 or more
};

struct BoxCall {
  BoxWindows windows;
  BoxType type;
  BoxPlanes input;
  BoxTargets output;
  BoxType output_type;  ///< that of the input, or half of its digits
  bool adjoint;
};

/// Bytes of device memory that windows too wide for a block want; 0 for others.
int64_t box_workspace(const BoxWindows& windows, int quantities, bool wide);
bool box_is_wide(const BoxWindows& windows);
/// Rows after which vertical sums restart.
int64_t box_band_of(int64_t radius, int64_t height, int64_t width);

/// Launches take the workspace as their last argument but one.
void launch_box_filter(const BoxCall& call, void* workspace, cudaStream_t stream);

// ---- Guided filter --------------------------------------------------------------------------------------------------

struct GuidedCall {
  BoxWindows windows;
  BoxType type;
  int guides;        ///< 1 or 3
  bool per_channel;  ///< whether the guide of channel c is channel c of it
  GuidedEps eps;
  BoxPlanes guide, input;
};

/// a…, b of each item.
struct GuidedCoefficientsCall : GuidedCall {
  BoxTargets output;
  BoxType output_type;
};

/// q = (M a)ᵀ I + M b.
struct GuidedBlendCall : GuidedCall {
  BoxPlanes coefficients;  ///< float or double
  BoxTargets output;
};

enum class GuidedGradForm {
  kFilter,    ///< of q
  kAveraged,  ///< of M a and M b
  kPlain,     ///< of a and b
};

/// γ…, the gradient of π, a… (`kFilter`), and the item's share of the gradients of μ… and Σ….
struct GuidedFieldsCall : GuidedCall {
  GuidedGradForm form;
  BoxPlanes grad;
  BoxTargets fields;  ///< float or double
  double* eps_shares;  ///< `[items, shares]`
};

/// The gradient of the input, and each channel's part in that of the guide.
struct GuidedInputGradCall : GuidedCall {
  bool filter;
  BoxPlanes grad, fields;
  BoxTargets output, parts;  ///< `parts` float or double
};

/// The gradient of the guide; `windows.channels` is that of the guide's units, each has `sum_channels` of the input.
struct GuidedGuideGradCall : GuidedCall {
  int64_t sum_channels;
  BoxPlanes fields, parts;  ///< `fields` begin with the gradients of μ
  BoxTargets output;
};

/// Quantities that a call sums, and shares of the gradient of ε for each item.
int guided_quantities(const GuidedCall& call, GuidedGradForm form, bool backward);
int64_t guided_eps_shares(const BoxWindows& windows);

void launch_guided_coefficients(const GuidedCoefficientsCall& call, void* workspace, cudaStream_t stream);
void launch_guided_blend(const GuidedBlendCall& call, void* workspace, cudaStream_t stream);
void launch_guided_fields(const GuidedFieldsCall& call, void* workspace, cudaStream_t stream);
void launch_guided_input_grad(const GuidedInputGradCall& call, void* workspace, cudaStream_t stream);
void launch_guided_guide_grad(const GuidedGuideGradCall& call, void* workspace, cudaStream_t stream);

// ---- Between grids --------------------------------------------------------------------------------------------------

struct GuidedApplyCall {
  GuidedGrid rows, columns;
  BoxType type;
  int64_t batch, channels;
  int guides;
  bool per_channel;
  BoxPlanes coefficients, guide;
};

void launch_guided_apply(const GuidedApplyCall& call, const BoxTargets& output, cudaStream_t stream);
void launch_guided_apply_guide_grad(const GuidedApplyCall& call, const BoxPlanes& grad, const BoxTargets& grad_guide,
                                    cudaStream_t stream);
void launch_guided_apply_coefficients_grad(const GuidedApplyCall& call, const BoxPlanes& grad,
                                           const BoxTargets& grad_coefficients, cudaStream_t stream);

struct AreaCall {
  BoxType type;
  int64_t batch, channels, height, width, factor;
  BoxPlanes input;
  BoxTargets output;
};

void launch_area_downsample(const AreaCall& call, cudaStream_t stream);
void launch_area_downsample_backward(const AreaCall& call, cudaStream_t stream);

}  // namespace vision_native::cuda
