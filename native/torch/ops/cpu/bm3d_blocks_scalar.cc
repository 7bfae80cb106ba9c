// Block functions of BM3D for every x86-64 CPU.
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "torch/ops/cpu/bm3d_blocks.h"

#define BM3D_BLOCKS kBm3dBlocksScalar
#include "torch/ops/cpu/bm3d_blocks.inl"
