// Tile functions of capsule routing for CPUs with AVX-512. Shared headers come before the instruction set is raised.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "torch/ops/cpu/capsule_routing_tiles.h"

#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#define CAPSULE_VECTOR_BYTES 64
#define CAPSULE_TILES kCapsuleTilesAvx512
#include "torch/ops/cpu/capsule_routing_tiles.inl"
