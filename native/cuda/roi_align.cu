// RoIAlign: a thread a bin of a channel. Neighbouring threads make neighbouring bins, or, with channels last, neighbouring
// channels, so that they read and write neighbouring numbers.
#include <limits>

#include "cuda/launch.cuh"
#include "cuda/roi_align.h"
#include "torch/ops/roi_align_samples.h"

namespace vision_native::cuda {

namespace {

template <typename T>
struct Bin {
  int64_t region, channel, row, column;
  int64_t image;   ///< −1 where the region is of no image, or not finite
  RoiSpan<T> y, x;

  __device__ Bin(const RoiCall<T>& call, int64_t i) {
    if (call.channels_last) {
      channel = i % call.channels;
      i /= call.channels;
    }
    column = i % call.pooled_width;
    i /= call.pooled_width;
    row = i % call.pooled_height;
    i /= call.pooled_height;
    if (!call.channels_last) {
      channel = i % call.channels;
      i /= call.channels;
    }
    region = i;
    const T* box = call.boxes + 5 * region;
    x = roi_span(box[1], box[3], call.spatial_scale, call.pooled_width, call.sampling_ratio, call.aligned);
    y = roi_span(box[2], box[4], call.spatial_scale, call.pooled_height, call.sampling_ratio, call.aligned);
    const bool finite = isfinite(x.start) && isfinite(x.bin) && isfinite(y.start) && isfinite(y.bin);
    const bool known = box[0] >= T(0) && box[0] < static_cast<T>(call.images);
    image = finite && known ? static_cast<int64_t>(box[0]) : -1;
  }

  __device__ int64_t place(const RoiCall<T>& call) const {
    return region * call.bins[0] + channel * call.bins[1] + row * call.bins[2] + column * call.bins[3];
  }

  __device__ int64_t plane(const RoiCall<T>& call) const { return image * call.map[0] + channel * call.map[1]; }
};

template <typename T>
__global__ void pool(RoiCall<T> call, const T* maps, T* bins, int64_t count) {
  VISION_NATIVE_PIXELS(i, count) {
    const Bin<T> bin(call, i);
    if (bin.image < 0) {
      bins[bin.place(call)] = std::numeric_limits<T>::quiet_NaN();
      continue;
    }
    const T* plane = maps + bin.plane(call);
    const RoiRange rows = roi_range(bin.y, bin.row, call.height), columns = roi_range(bin.x, bin.column, call.width);
    T sum = 0;
    for (int64_t r = rows.begin; r < rows.end; ++r) {
      const RoiTaps<T> y = roi_taps(roi_position(bin.y, bin.row, r), call.height);
      if (!y.inside) continue;
      const T* low = plane + y.low * call.map[2];
      const T* high = plane + y.high * call.map[2];
      for (int64_t c = columns.begin; c < columns.end; ++c) {
        const RoiTaps<T> x = roi_taps(roi_position(bin.x, bin.column, c), call.width);
        if (!x.inside) continue;
        const int64_t left = x.low * call.map[3], right = x.high * call.map[3];
        sum += y.low_weight * (x.low_weight * low[left] + x.high_weight * low[right]) +
               y.high_weight * (x.low_weight * high[left] + x.high_weight * high[right]);
      }
    }
    const T samples = bin.y.grid * bin.x.grid;
    bins[bin.place(call)] = samples > T(1) ? sum / samples : sum;
  }
}

template <typename T>
__global__ void spread(RoiCall<T> call, const T* bins, T* maps, int64_t count) {
  VISION_NATIVE_PIXELS(i, count) {
    const Bin<T> bin(call, i);
    if (bin.image < 0) continue;
    T* plane = maps + bin.plane(call);
    const T samples = bin.y.grid * bin.x.grid;
    const T slope = bins[bin.place(call)] / (samples > T(1) ? samples : T(1));
    const RoiRange rows = roi_range(bin.y, bin.row, call.height), columns = roi_range(bin.x, bin.column, call.width);
    for (int64_t r = rows.begin; r < rows.end; ++r) {
      const RoiTaps<T> y = roi_taps(roi_position(bin.y, bin.row, r), call.height);
      if (!y.inside) continue;
      T* low = plane + y.low * call.map[2];
      T* high = plane + y.high * call.map[2];
      for (int64_t c = columns.begin; c < columns.end; ++c) {
        const RoiTaps<T> x = roi_taps(roi_position(bin.x, bin.column, c), call.width);
        if (!x.inside) continue;
        const int64_t left = x.low * call.map[3], right = x.high * call.map[3];
        atomicAdd(low + left, slope * (y.low_weight * x.low_weight));
        atomicAdd(low + right, slope * (y.low_weight * x.high_weight));
        atomicAdd(high + left, slope * (y.high_weight * x.low_weight));
        atomicAdd(high + right, slope * (y.high_weight * x.high_weight));
      }
    }
  }
}

template <typename T>
int64_t threads_of(const RoiCall<T>& call) {
  return call.regions * call.channels * call.pooled_height * call.pooled_width;
}

}  // namespace

template <typename T>
void launch_roi_align(const RoiCall<T>& call, const T* maps, T* bins, cudaStream_t stream) {
  const int64_t count = threads_of(call);
  pool<<<blocks_for(count), kThreads, 0, stream>>>(call, maps, bins, count);
  check_launch("roi_align");
}

template <typename T>
void launch_roi_align_backward(const RoiCall<T>& call, const T* bins, T* maps, cudaStream_t stream) {
  const int64_t count = threads_of(call);
  spread<<<blocks_for(count), kThreads, 0, stream>>>(call, bins, maps, count);
  check_launch("roi_align backward");
}

template void launch_roi_align(const RoiCall<float>&, const float*, float*, cudaStream_t);
template void launch_roi_align(const RoiCall<double>&, const double*, double*, cudaStream_t);
template void launch_roi_align_backward(const RoiCall<float>&, const float*, float*, cudaStream_t);
template void launch_roi_align_backward(const RoiCall<double>&, const double*, double*, cudaStream_t);

}  // namespace vision_native::cuda
