#pragma once
// The box filter and the guided filter: what their kernels are given, and the checks that all devices share.
//
// Guided image filtering: He, Sun, Tang, ECCV 2010 and TPAMI 2013; the fast form: He, Sun, 2015; trained end to end with
// coefficients on a coarser grid: Wu, Zheng, Zhang, Huang, CVPR 2018.
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/Tensor.h>
#include <c10/core/DeviceGuard.h>

#include <tuple>

#include "torch/ops/box_filter_axis.h"
#include "torch/run_context.h"

namespace vision_native {

enum class GuidedMode {
  kGray,        ///< one guide for all channels of the input
  kPerChannel,  ///< channel k is guided by channel k
  kColor,       ///< three guides and their covariance
};

VISION_NATIVE_API BoxEdge box_check_edge(const char* op, c10::string_view edge);
VISION_NATIVE_API void box_check_input(const char* op, const char* name, const at::Tensor& input);
VISION_NATIVE_API void box_check_radius(const char* op, int64_t radius, int64_t least);

VISION_NATIVE_API GuidedMode guided_check_mode(const char* op, c10::string_view mode);
/// Two tensors of the same element type and device; the second is named in messages.
VISION_NATIVE_API void guided_check_alike(const char* op, const char* name_a, const at::Tensor& a, const char* name_b,
                                          const at::Tensor& b);
/// Guide and input `[B, C, H, W]` of the same batch and, unless `sizes_differ`, size.
VISION_NATIVE_API
void guided_check_pair(const char* op, GuidedMode mode, const at::Tensor& guide, const at::Tensor& input,
                                         bool sizes_differ = false);
/// A floating-point tensor of one element, on the CPU or where the input is.
VISION_NATIVE_API void guided_check_eps(const char* op, const at::Tensor& eps, const at::Tensor& input);
/// Its value, from a tensor on the CPU: finite, 0 or more.
VISION_NATIVE_API double guided_eps_value(const char* op, const at::Tensor& eps);

/// Guides of an input channel.
inline int64_t guided_guides(GuidedMode mode) { return mode == GuidedMode::kColor ? 3 : 1; }

/// Inside a kernel: no autograd bookkeeping, and the tensors' own device.
struct BoxEntry {
  at::AutoDispatchBelowADInplaceOrView guard;
  c10::OptionalDeviceGuard device;
  explicit BoxEntry(const at::Tensor& tensor) : device(tensor.device()) {}
};

/// A tensor `[B, C, H, W]` as units that share guides: B images, or B·C where each channel has its own.
struct GuidedUnits {
  GuidedMode mode;
  int64_t batch, channels, height, width;

  GuidedUnits(GuidedMode of, const at::Tensor& input)
      : mode(of), batch(input.size(0)), channels(input.size(1)), height(input.size(2)), width(input.size(3)) {}

  int64_t units() const { return mode == GuidedMode::kPerChannel ? batch * channels : batch; }
  int64_t unit_channels() const { return mode == GuidedMode::kPerChannel ? 1 : channels; }
  /// Offset in elements of channel c of a unit; of a guide or an input alike.
  int64_t offset(const at::Tensor& planes, int64_t unit, int64_t c) const {
    if (mode == GuidedMode::kPerChannel) {
      return unit / channels * planes.stride(0) + unit % channels * planes.stride(1);
    }
    return unit * planes.stride(0) + c * planes.stride(1);
  }
  /// Offset of field f of the coefficients `[B, C, guides + 1, H, W]` of channel c of a unit.
  int64_t field(const at::Tensor& fields, int64_t unit, int64_t c, int64_t f) const {
    return offset(fields, unit, c) + f * fields.stride(2);
  }
};

}  // namespace vision_native
