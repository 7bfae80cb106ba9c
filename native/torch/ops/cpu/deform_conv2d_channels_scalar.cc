// Work on channels of deformable convolution for every x86-64 CPU.
#include <cstdint>

#include "torch/ops/cpu/deform_conv2d_channels.h"

#define DEFORM_KERNELS kDeformKernelsScalar
#include "torch/ops/cpu/deform_conv2d_channels.inl"
