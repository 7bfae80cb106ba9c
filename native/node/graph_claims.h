#pragma once
// Which tensors running graphs write: two runs that write the same, or one that reads what another writes, would mix.
#include <vector>

namespace vision_native {

class Graph;

/// The right to run a graph. While it lives, no other run may touch what the graph writes; throws where another run does.
/// It holds for the whole process: workers may share memory.
class StateClaim {
 public:
  explicit StateClaim(const Graph& graph);
  StateClaim(const StateClaim&) = delete;
  StateClaim& operator=(const StateClaim&) = delete;
  ~StateClaim() { release(); }

  void release();

 private:
  /// Storages.
  std::vector<const void*> written_;
};

}  // namespace vision_native
