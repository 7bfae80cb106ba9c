#pragma once
// The call frame as the bridge sees it; lib/native/frame.ts describes the layout.
#include <cstdint>
#include <cstring>
#include <string>

#include "node/errors.h"

namespace vision_native {

enum class Tag : int {
  kAbsent = 0,
  kTensor = 1,
  kInt = 2,
  kDouble = 3,
  kBool = 4,
  kBigInt = 5,
  kString = 6,
  kIntList = 7,
  kDoubleList = 8,
  kBoolList = 9,
  kTensorList = 10,
  kEmptyList = 11,
  kGenerator = 12,
  kComplex = 13,
  kBigIntList = 14,
  kArgument = 15,
};

inline constexpr size_t kCallValues = 4;

/// Memory of a JavaScript ArrayBuffer. Nothing in it is trusted: every read is checked against its size.
struct Frame {
  double* data = nullptr;
  size_t size = 0;

  double at(size_t index) const {
    if (index >= size) throw BridgeError("Argument", "the call frame is malformed: a value lies outside it");
    return data[index];
  }
  int64_t bits_at(size_t index) const {
    at(index);
    int64_t bits;
    std::memcpy(&bits, data + index, sizeof bits);
    return bits;
  }
  /// A count or index: an integer between 0 and the frame's size.
  size_t count_at(size_t index) const {
    const double value = at(index);
    if (!(value >= 0 && value <= static_cast<double>(size))) {
      throw BridgeError("Argument", "the call frame is malformed: a count lies outside it");
    }
    return static_cast<size_t>(value);
  }
};

}  // namespace vision_native
