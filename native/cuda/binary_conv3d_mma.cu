// Binary 3D convolution on the tensor cores: launches.
#include "cuda/binary_conv3d_mma.cuh"

#include "cuda/launch.cuh"

namespace vision_native::cuda {

namespace {

/// Boxes of taps have a table entry for each of their corners.
constexpr int64_t kMostCorners = 4096;

int64_t corners_of(const BinaryConv& conv) {
  int64_t corners = 1;
  for (const int64_t size : conv.kernel) {
    if (size >= kMostCorners) return kMostCorners + 1;
    corners *= size + 1;
  }
  return corners;
}

int64_t groups_of(const BinaryConv& conv) { return (conv.out_channels + kMmaChannels - 1) / kMmaChannels; }

template <class Sink>
void launch(const BinaryConv& conv, int32_t* box_sums, const Sink& sink, const char* name, cudaStream_t stream) {
  const int64_t channels = groups_of(conv) * kMmaChannels;
  sum_weight_boxes<<<blocks_for(corners_of(conv) * channels), kThreads, 0, stream>>>(conv, box_sums, channels);
  check_launch(name);
  const int64_t pixels = conv.batch * conv.out[0] * conv.out[1] * conv.out[2];
  const int64_t blocks = (pixels + kMmaPixels - 1) / kMmaPixels * groups_of(conv);
  const bool wide = conv.words % 4 == 0 && reinterpret_cast<uintptr_t>(conv.bits) % sizeof(ulonglong2) == 0;
  convolve_mma<<<static_cast<unsigned>(std::min(blocks, kMostBlocksX)), kMmaPixels, 0, stream>>>(conv, box_sums, channels,
                                                                                                wide, sink);
  check_launch(name);
}

}  // namespace

int64_t binary_mma_workspace(const BinaryConv& conv) {
  const int64_t corners = corners_of(conv);
  return corners <= kMostCorners ? corners * groups_of(conv) * kMmaChannels : 0;
}

void launch_binary_conv3d_mma(const BinaryConv& conv, int32_t* workspace, int32_t* out, cudaStream_t stream) {
  launch(conv, workspace, MmaSums{out}, "bconv3d", stream);
}

void launch_binary_conv3d_mma_fused(const BinaryConv& conv, int32_t* workspace, const BinaryVectors& vectors,
                                    cudaStream_t stream) {
  launch(conv, workspace, MmaFused{vectors}, "bconv3d_fused", stream);
}

}  // namespace vision_native::cuda
