// Gradients averaged over the processes of a group while backward still runs: c10d's own reducer, by number.
#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <torch/library.h>

#include <map>
#include <memory>
#include <mutex>

namespace vision_native::distributed {

namespace {

using Reducers = std::map<int64_t, std::shared_ptr<c10d::Reducer>>;

std::mutex& mutex() {
  static std::mutex instance;
  return instance;
}

Reducers& reducers() {
  // Never destroyed: at exit LibTorch may be gone before.
  static auto& instance = *new Reducers;
  return instance;
}

std::shared_ptr<c10d::Reducer> reducer(int64_t id) {
  const std::lock_guard lock(mutex());
  const auto found = reducers().find(id);
  TORCH_CHECK_VALUE(found != reducers().end(), "the reducer of gradients was closed");
  return found->second;
}

/**
 * Hooks the parameters, which must be the same on all processes in number, order and shapes.
 *
 * @param id numbers are the caller's to give
 * @param bucket_bytes gradients travel in buckets of this size; the first is smaller, so that it leaves early
 */
void open(int64_t id, at::TensorList parameters, c10::string_view group, int64_t bucket_bytes, bool find_unused) {
  const auto process_group = c10d::resolve_process_group(std::string(group));
  const std::vector<at::Tensor> tensors = parameters.vec();
  const std::vector<bool> sparse(tensors.size(), false);
  const int64_t first = std::min<int64_t>(bucket_bytes, c10d::kDefaultFirstBucketBytes);
  std::vector<std::vector<size_t>> buckets =
      std::get<0>(c10d::compute_bucket_assignment_by_size(
          tensors, {static_cast<size_t>(first), static_cast<size_t>(bucket_bytes)}, sparse));
  // Gradients come in about the reverse order of parameters.
  std::reverse(buckets.begin(), buckets.end());
  auto made = std::make_shared<c10d::Reducer>(tensors, std::move(buckets), process_group, sparse, bucket_bytes,
                                              find_unused, /*gradient_as_bucket_view=*/false,
                                              std::unordered_map<size_t, std::string>{}, first,
                                              /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false,
                                              std::vector<int64_t>{});
  const std::lock_guard lock(mutex());
  TORCH_CHECK_VALUE(reducers().emplace(id, std::move(made)).second, "reducer ", id, " is open already");
}

/// Before each backward pass whose gradients are to be averaged; `outputs` are needed to find unused parameters.
void prepare(int64_t id, at::TensorList outputs) {
  const auto found = reducer(id);
  found->rebuild_buckets();
  found->prepare_for_backward(outputs.vec());
}

void close(int64_t id) {
  std::shared_ptr<c10d::Reducer> found;
  const std::lock_guard lock(mutex());
  if (const auto place = reducers().find(id); place != reducers().end()) {
    found = std::move(place->second);
    reducers().erase(place);
  }
  if (found) found->remove_autograd_hooks();
}

/// One process's tensors to all others of the group, in place.
void broadcast_all(at::TensorList tensors, c10::string_view group, int64_t source) {
  const c10::AutoGradMode no_grad(false);
  constexpr size_t kBufferBytes = 250 * 1024 * 1024;
  c10d::broadcast_coalesced(c10d::resolve_process_group(std::string(group)), tensors, kBufferBytes,
                            static_cast<int>(source));
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(vision_native_distributed, library) {
  library.def("reducer_open(int id, Tensor[] parameters, str group, int bucket_bytes, bool find_unused) -> ()", open);
  library.def("reducer_prepare(int id, Tensor[] outputs) -> ()", prepare);
  library.def("reducer_close(int id) -> ()", close);
  library.def("broadcast_all(Tensor(a!)[] tensors, str group, int source) -> ()", broadcast_all);
}

}  // namespace vision_native::distributed
