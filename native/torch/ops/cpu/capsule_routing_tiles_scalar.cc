// Tile functions of capsule routing for every x86-64 CPU. Shared headers come before the instruction set is raised.
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "torch/ops/cpu/capsule_routing_tiles.h"

#define CAPSULE_VECTOR_BYTES 16
#define CAPSULE_TILES kCapsuleTilesScalar
#include "torch/ops/cpu/capsule_routing_tiles.inl"
