// Deformable convolution: samples into columns and back. A thread has one tap of one pixel and, for columns, some channels
// of it: the place is computed once, and neighbouring threads have neighbouring pixels.
#include "cuda/deform_conv2d.h"
#include "cuda/launch.cuh"

namespace vision_native::cuda {

namespace {

/// Channels of a thread.
constexpr int64_t kChannels = 16;

template <typename T>
struct Sample {
  int64_t image, group, tap, pixel;
  int64_t column;  ///< among those of all images of the call
  DeformTap<T> at;
  T mask;

  /// `i` counts pixels, images, taps and offset groups, pixels fastest.
  __device__ Sample(const DeformCall<T>& call, int64_t i) {
    const DeformShape& shape = call.shape;
    const int64_t pixels = shape.pixels(), taps = shape.taps();
    column = i % (call.images * pixels);
    tap = i / (call.images * pixels) % taps;
    group = i / (call.images * pixels) / taps;
    pixel = column % pixels;
    image = call.first + column / pixels;
    const int64_t place = (image * shape.offset_groups + group) * taps + tap;
    const T* from = call.offset + 2 * place * pixels + pixel;
    const int64_t y = pixel / shape.out[1] * shape.stride[0] - shape.padding[0] +
                      tap / shape.kernel[1] * shape.dilation[0];
    const int64_t x = pixel % shape.out[1] * shape.stride[1] - shape.padding[1] +
                      tap % shape.kernel[1] * shape.dilation[1];
    at = deform_tap(static_cast<T>(y) + from[0], static_cast<T>(x) + from[pixels], shape.height, shape.width);
    mask = call.mask == nullptr ? T(1) : call.mask[place * pixels + pixel];
  }
};

template <typename T>
__global__ void make_columns(DeformCall<T> call, T* columns, int64_t samples, int64_t blocks) {
  const DeformShape& shape = call.shape;
  const int64_t together = shape.channels / shape.offset_groups, plane = shape.height * shape.width;
  const int64_t wide = call.images * shape.pixels();
  VISION_NATIVE_PIXELS(i, samples * blocks) {
    const Sample<T> sample(call, i % samples);
    const int64_t begin = i / samples * kChannels;
    const int64_t end = begin + kChannels < together ? begin + kChannels : together;
    for (int64_t k = begin; k < end; ++k) {
      const int64_t c = sample.group * together + k;
      const T* image = call.input + (sample.image * shape.channels + c) * plane;
      T value = 0;
      for (int q = 0; q < 4; ++q) {
        if (sample.at.inside[q]) value += sample.at.weight[q] * image[sample.at.pixel[q]];
      }
      columns[(c * shape.taps() + sample.tap) * wide + sample.column] = sample.mask * value;
    }
  }
}

template <typename T>
__global__ void spread_columns(DeformCall<T> call, const T* columns, T* input, int64_t samples, int64_t blocks) {
  const DeformShape& shape = call.shape;
  const int64_t together = shape.channels / shape.offset_groups, plane = shape.height * shape.width;
  const int64_t wide = call.images * shape.pixels();
  VISION_NATIVE_PIXELS(i, samples * blocks) {
    const Sample<T> sample(call, i % samples);
    const int64_t begin = i / samples * kChannels;
    const int64_t end = begin + kChannels < together ? begin + kChannels : together;
    for (int64_t k = begin; k < end; ++k) {
      const int64_t c = sample.group * together + k;
      T* image = input + (sample.image * shape.channels + c) * plane;
      const T slope = sample.mask * columns[(c * shape.taps() + sample.tap) * wide + sample.column];
      for (int q = 0; q < 4; ++q) {
        if (sample.at.inside[q]) atomicAdd(image + sample.at.pixel[q], sample.at.weight[q] * slope);
      }
    }
  }
}

template <typename T>
__global__ void differentiate_positions(DeformCall<T> call, const T* columns, T* offset, T* mask, int64_t samples) {
  const DeformShape& shape = call.shape;
  const int64_t together = shape.channels / shape.offset_groups, plane = shape.height * shape.width;
  const int64_t pixels = shape.pixels(), wide = call.images * pixels;
  VISION_NATIVE_PIXELS(i, samples) {
    const Sample<T> sample(call, i);
    T sums[4] = {};
    for (int64_t k = 0; k < together; ++k) {
      const int64_t c = sample.group * together + k;
      const T* image = call.input + (sample.image * shape.channels + c) * plane;
      const T slope = columns[(c * shape.taps() + sample.tap) * wide + sample.column];
      for (int q = 0; q < 4; ++q) {
        if (sample.at.inside[q]) sums[q] += slope * image[sample.at.pixel[q]];
      }
    }
    const int64_t place = (sample.image * shape.offset_groups + sample.group) * shape.taps() + sample.tap;
    if (offset != nullptr) {
      T* to = offset + 2 * place * pixels + sample.pixel;
      to[0] = sample.mask * deform_slope_y(sample.at, sums);
      to[pixels] = sample.mask * deform_slope_x(sample.at, sums);
    }
    if (mask != nullptr) {
      mask[place * pixels + sample.pixel] = (sample.at.weight[0] * sums[0] + sample.at.weight[1] * sums[1]) +
                                            (sample.at.weight[2] * sums[2] + sample.at.weight[3] * sums[3]);
    }
  }
}

template <typename T>
int64_t samples_of(const DeformCall<T>& call) {
  return call.images * call.shape.pixels() * call.shape.taps() * call.shape.offset_groups;
}

template <typename T>
int64_t blocks_of(const DeformCall<T>& call) {
  return (call.shape.channels / call.shape.offset_groups + kChannels - 1) / kChannels;
}

}  // namespace

template <typename T>
void launch_deform_columns(const DeformCall<T>& call, T* columns, cudaStream_t stream) {
  const int64_t samples = samples_of(call), blocks = blocks_of(call);
  make_columns<<<blocks_for(samples * blocks), kThreads, 0, stream>>>(call, columns, samples, blocks);
  check_launch("deform_conv2d: columns");
}

template <typename T>
void launch_deform_input(const DeformCall<T>& call, const T* columns, T* input, cudaStream_t stream) {
  const int64_t samples = samples_of(call), blocks = blocks_of(call);
  spread_columns<<<blocks_for(samples * blocks), kThreads, 0, stream>>>(call, columns, input, samples, blocks);
  check_launch("deform_conv2d: gradient of the input");
}

template <typename T>
void launch_deform_positions(const DeformCall<T>& call, const T* columns, T* offset, T* mask, cudaStream_t stream) {
  const int64_t samples = samples_of(call);
  differentiate_positions<<<blocks_for(samples), kThreads, 0, stream>>>(call, columns, offset, mask, samples);
  check_launch("deform_conv2d: gradient of offsets");
}

#define VISION_NATIVE_DEFORM(T)                                                                    \
  template void launch_deform_columns(const DeformCall<T>&, T*, cudaStream_t);                     \
  template void launch_deform_input(const DeformCall<T>&, const T*, T*, cudaStream_t);             \
  template void launch_deform_positions(const DeformCall<T>&, const T*, T*, T*, cudaStream_t);

VISION_NATIVE_DEFORM(float)
VISION_NATIVE_DEFORM(double)

}  // namespace vision_native::cuda
