#pragma once
// Loops over rows of labels that take the time, compiled once for each instruction set.
#include <cstdint>

namespace vision_native {

/// Places start … end − 1 of a row, all of one value that is not 0.
struct LabelRun {
  int32_t start, end;
};

struct LabelRows {
  /// Writes the runs of a row of `width` elements to `out`, which has room for width + 1, and returns their number. By the
  /// logarithm of the element's bytes.
  int64_t (*find_runs[4])(const void* row, int64_t width, LabelRun* out);
  /// Writes a row: labels inside the runs, 0 between them. May write `slack` elements behind the row.
  void (*fill)(int32_t* out, int64_t width, const LabelRun* runs, const int32_t* labels, int64_t count, int64_t slack);
};

extern const LabelRows kLabelRowsScalar;
extern const LabelRows kLabelRowsAvx2;

}  // namespace vision_native
