// Sums of RoIAlign for every x86-64 CPU. Shared headers come before the instruction set is raised.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "torch/ops/cpu/roi_align_regions.h"

#define ROI_KERNELS kRoiKernelsScalar
#include "torch/ops/cpu/roi_align_regions.inl"
