#include "node/graph_claims.h"

#include <algorithm>
#include <mutex>
#include <unordered_set>

#include "node/errors.h"
#include "node/graph.h"

namespace vision_native {

namespace {

struct Claims {
  std::mutex mutex;
  std::unordered_set<const void*> written;
};

Claims& claims() {
  // Never destroyed: jobs may end after every static of this library.
  static auto* const made = new Claims();
  return *made;
}

}  // namespace

StateClaim::StateClaim(const Graph& graph) {
  std::lock_guard lock(claims().mutex);
  auto& written = claims().written;
  if (written.empty() && !graph.writes_state()) return;
  const Graph::Storages storages = graph.storages();
  const auto taken = [&](const void* storage) { return written.contains(storage); };
  if (std::any_of(storages.written.begin(), storages.written.end(), taken) ||
      std::any_of(storages.read.begin(), storages.read.end(), taken)) {
    throw BridgeError("Config",
                      "captured function: another run that changes the same tensors (parameters, gradients, statistics) is "
                      "running already; await that run before the next one");
  }
  written_ = storages.written;
  written.insert(written_.begin(), written_.end());
}

void StateClaim::release() {
  if (written_.empty()) return;
  std::lock_guard lock(claims().mutex);
  for (const void* storage : written_) claims().written.erase(storage);
  written_.clear();
}

}  // namespace vision_native
