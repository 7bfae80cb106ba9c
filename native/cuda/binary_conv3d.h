#pragma once
// Binary 3D convolution on CUDA: launches. Neither ATen nor c10 is known here.
#include <cuda_runtime.h>

#include <cstdint>

namespace vision_native::cuda {

/// Sizes are of time, height and width.
struct BinaryConv {
  const uint64_t* bits;    ///< `[N, T, H, W, words]`
  const uint64_t* weight;  ///< `[⌈Co/8⌉, taps, words, 8]`
  int64_t batch, channels, out_channels, words, out_words;
  int64_t in[3], kernel[3], stride[3], padding[3], out[3];
};

/// Vectors of one number for each output channel; null is 0, for the slope 1.
struct BinaryVectors {
  const float *scale, *shift, *bias1, *slope, *bias2, *next_bias;
  const float* residual;  ///< `[N, To, Ho, Wo, residual_channels]`, repeated to Co channels, or null
  int64_t residual_channels;
  float* output;          ///< the same, or null
  uint64_t* bits;         ///< `[N, To, Ho, Wo, out words]` or null
};

enum class BinaryType { kHalf, kBFloat16, kFloat, kDouble };

struct BinarySource {
  const void* data;
  BinaryType type;
  const void* bias;  ///< float32, float64 beside float64, or null
  int64_t sizes[5], strides[5];
};

void launch_pack_sign(const BinarySource& source, uint64_t* bits, int64_t words, cudaStream_t stream);
/// `weight` `[Co, Ci, taps]`, contiguous.
void launch_pack_weight(const void* weight, BinaryType type, int64_t filters, int64_t channels, int64_t taps,
                        uint64_t* packed, cudaStream_t stream);
/// By counting the bits of words.
void launch_binary_conv3d(const BinaryConv& conv, int32_t* out, cudaStream_t stream);
void launch_binary_conv3d_fused(const BinaryConv& conv, const BinaryVectors& vectors, cudaStream_t stream);
/// On the tensor cores, of devices of compute capability 8.0 and above. The workspace has `binary_mma_workspace` numbers;
/// where those are 0 the kernel is too large for it.
int64_t binary_mma_workspace(const BinaryConv& conv);
void launch_binary_conv3d_mma(const BinaryConv& conv, int32_t* workspace, int32_t* out, cudaStream_t stream);
void launch_binary_conv3d_mma_fused(const BinaryConv& conv, int32_t* workspace, const BinaryVectors& vectors,
                                    cudaStream_t stream);

}  // namespace vision_native::cuda
