#pragma once
// LibTorch's wheel brings ProcessGroupGloo, but not the headers of Gloo that its declaration names. What is declared here
// is all that a caller of its constructor needs; nothing of it is defined or called by us.
#include <chrono>

namespace gloo {

class Context {
 public:
  const int rank;
  const int size;
  std::chrono::milliseconds getTimeout() const;
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo
