#pragma once
// Tensors on their way from one thread of the process to another. A tensor that is sent leaves the table of the
// environment that sends it and waits under a number, its token, until another takes it over.
#include <ATen/core/Tensor.h>
#include <node_api.h>

#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace vision_native {

/// The tensors on their way, of all environments. A channel names those that are dropped together.
class Exchange {
 public:
  /// Always open.
  static constexpr int64_t kDefaultChannel = 0;

  int64_t open_channel();
  /// Drops what waits there; nothing more can be put there. Returns how many tensors were dropped.
  size_t close_channel(int64_t channel);

  /// A token for each tensor. Throws, with nothing put, when the channel is closed.
  std::vector<int64_t> put(std::vector<at::Tensor> tensors, int64_t channel);
  /// The tensors of tokens, each of which is then used up. Throws, with nothing taken, when there is one that is not.
  std::vector<at::Tensor> take(const std::vector<int64_t>& tokens);
  /// Frees what still waits under tokens.
  size_t drop(const std::vector<int64_t>& tokens);

  size_t size() const;

 private:
  struct Parcel {
    at::Tensor tensor;
    int64_t channel;
  };

  mutable std::mutex mutex_;
  std::unordered_map<int64_t, Parcel> parcels_;
  std::unordered_set<int64_t> channels_{kDefaultChannel};
  int64_t next_token_ = 1;
  int64_t next_channel_ = kDefaultChannel + 1;
};

/// The exchange of this process.
Exchange& exchange();

/// Adds the functions of bindings.d.ts that send and receive tensors.
void declare_transfer_functions(napi_env env, napi_value exports);

}  // namespace vision_native
