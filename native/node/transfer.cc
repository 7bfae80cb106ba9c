#include "node/transfer.h"

#include <c10/core/InferenceMode.h>
#include <omp.h>

#include <string>

#include "node/environment.h"
#include "node/js.h"
#include "node/memory.h"
#include "node/tensor_access.h"

namespace vision_native {

Exchange& exchange() {
  // Never destroyed: threads may still send when statics of the process go.
  static auto* const only = new Exchange();
  return *only;
}

// ---- Exchange -------------------------------------------------------------------------------------------------------

int64_t Exchange::open_channel() {
  std::lock_guard lock(mutex_);
  channels_.insert(next_channel_);
  return next_channel_++;
}

size_t Exchange::close_channel(int64_t channel) {
  // Freed after the lock is given up: freeing may take long, and may run code of others.
  std::vector<at::Tensor> dying;
  std::lock_guard lock(mutex_);
  if (channel != kDefaultChannel) channels_.erase(channel);
  for (auto at = parcels_.begin(); at != parcels_.end();) {
    if (at->second.channel != channel) {
      ++at;
      continue;
    }
    dying.push_back(std::move(at->second.tensor));
    at = parcels_.erase(at);
  }
  return dying.size();
}

std::vector<int64_t> Exchange::put(std::vector<at::Tensor> tensors, int64_t channel) {
  std::vector<int64_t> tokens;
  tokens.reserve(tensors.size());
  std::lock_guard lock(mutex_);
  if (!channels_.contains(channel)) {
    throw BridgeError("Argument", "sendTensors: channel " + std::to_string(channel) + " is closed, or was never opened");
  }
  for (at::Tensor& tensor : tensors) {
    parcels_.emplace(next_token_, Parcel{std::move(tensor), channel});
    tokens.push_back(next_token_++);
  }
  return tokens;
}

std::vector<at::Tensor> Exchange::take(const std::vector<int64_t>& tokens) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(tokens.size());
  std::lock_guard lock(mutex_);
  std::unordered_set<int64_t> seen;
  for (const int64_t token : tokens) {
    if (parcels_.contains(token) && seen.insert(token).second) continue;
    throw BridgeError("Disposed", "receiveTensors: tensor " + std::to_string(token) +
                                      " is not on its way: the message was received or discarded before, or its "
                                      "channel was closed because its thread ended; a message is received once");
  }
  for (const int64_t token : tokens) tensors.push_back(std::move(parcels_.extract(token).mapped().tensor));
  return tensors;
}

size_t Exchange::drop(const std::vector<int64_t>& tokens) {
  std::vector<at::Tensor> dying;
  std::lock_guard lock(mutex_);
  for (const int64_t token : tokens) {
    if (auto node = parcels_.extract(token)) dying.push_back(std::move(node.mapped().tensor));
  }
  return dying.size();
}

size_t Exchange::size() const {
  std::lock_guard lock(mutex_);
  return parcels_.size();
}

// ---- Functions ------------------------------------------------------------------------------------------------------

namespace {

std::vector<int64_t> numbers_in_frame(const Environment& self, double count) {
  if (!(count >= 0) || count > static_cast<double>(self.frame.size)) {
    throw BridgeError("Argument", "native call: the frame does not hold that many numbers");
  }
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const double number = self.frame.data[i];
    // Written so that NaN fails it; no token is that large, so what is no token finds nothing.
    numbers.push_back(number >= 1 && number < 9007199254740992.0 ? static_cast<int64_t>(number) : 0);
  }
  return numbers;
}

/// A tensor of the same elements that no view, graph or mode of the sending thread knows of; it shares memory where it
/// can.
at::Tensor detached(const at::Tensor& tensor) {
  if (tensor.is_inference() || !tensor.has_storage()) {
    const c10::InferenceMode off(false);
    return tensor.clone();
  }
  return tensor.variable_data();
}

/// Copies every tensor whose memory somebody else still holds, so that no memory is written by two threads.
void separate(std::vector<at::Tensor>& tensors) {
  std::unordered_map<const void*, size_t> leaving;
  for (const at::Tensor& tensor : tensors) {
    if (tensor.has_storage()) ++leaving[tensor.storage().unsafeGetStorageImpl()];
  }
  for (at::Tensor& tensor : tensors) {
    if (!tensor.has_storage()) continue;
    const auto found = leaving.find(tensor.storage().unsafeGetStorageImpl());
    if (found != leaving.end() && tensor.storage().use_count() > found->second) {
      --found->second;
      tensor = tensor.clone();
    }
  }
}

napi_value open_channel(Environment& self, const Parameters&) { return to_js(self.env, exchange().open_channel()); }

napi_value close_channel(Environment& self, const Parameters& in) {
  return to_js(self.env, exchange().close_channel(static_cast<int64_t>(in.number(0))));
}

napi_value export_tensors(Environment& self, const Parameters& in) {
  if (self.recorder) {
    throw BridgeError("Config", "sendTensors: tensors were sent while a function is captured: a graph could not repeat "
                                "it; do it outside the captured function");
  }
  const size_t count = numbers_in_frame(self, in.number(0)).size();
  const auto channel = static_cast<int64_t>(in.number(1));
  std::vector<at::Tensor> tensors;
  for (size_t i = 0; i < count; ++i) {
    const at::Tensor& tensor = find_tensor(self, self.frame.data[i], "sendTensors");
    if (tensor.requires_grad()) {
      throw BridgeError("Argument", "sendTensors: a tensor " + describe(tensor) +
                                        " requires gradients, and graphs do not travel; send tensor.detach()");
    }
    tensors.push_back(tensor);
  }
  for (at::Tensor& tensor : tensors) tensor = detached(tensor);
  for (size_t i = 0; i < count; ++i) self.registry.tensors.erase(self.frame.data[i]);
  separate(tensors);
  const std::vector<int64_t> tokens = exchange().put(std::move(tensors), channel);
  for (size_t i = 0; i < count; ++i) self.frame.data[i] = static_cast<double>(tokens[i]);
  return nullptr;
}

napi_value adopt_tensors(Environment& self, const Parameters& in) {
  const std::vector<int64_t> tokens = numbers_in_frame(self, in.number(0));
  if (self.registry.tensors.size() + tokens.size() > HandleTable::kCapacity) {
    throw BridgeError("OutOfMemory", "4194304 tensors are alive in this thread, which is the limit");
  }
  std::vector<at::Tensor> tensors = exchange().take(tokens);
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].has_storage()) {
      memory::recharge(tensors[i].storage().unsafeGetStorageImpl()->_mutable_data_ptr_no_checks(), self.account);
    }
    self.frame.data[i] = self.registry.tensors.insert(std::move(tensors[i]));
  }
  self.report_memory();
  return nullptr;
}

napi_value drop_tensors(Environment& self, const Parameters& in) {
  return to_js(self.env, exchange().drop(numbers_in_frame(self, in.number(0))));
}

napi_value tensors_on_their_way(Environment& self, const Parameters&) { return to_js(self.env, exchange().size()); }

/// `setNumThreads` is for the process; a thread that prepares data must not take the processors of the one that trains.
napi_value use_one_thread(Environment&, const Parameters&) {
  omp_set_num_threads(1);
  return nullptr;
}

}  // namespace

void declare_transfer_functions(napi_env env, napi_value exports) {
  declare(env, exports, "openChannel", entry<open_channel>);
  declare(env, exports, "closeChannel", entry<close_channel>);
  declare(env, exports, "exportTensors", entry<export_tensors>);
  declare(env, exports, "adoptTensors", entry<adopt_tensors>);
  declare(env, exports, "dropTensors", entry<drop_tensors>);
  declare(env, exports, "tensorsOnTheirWay", entry<tensors_on_their_way>);
  declare(env, exports, "useOneThread", entry<use_one_thread>);
}

}  // namespace vision_native
