#include "torch/distributed/groups.h"

#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <torch/library.h>

#include <map>
#include <mutex>
#include <set>

namespace vision_native::distributed {

namespace {

using Group = c10::intrusive_ptr<c10d::ProcessGroup>;
using Milliseconds = std::chrono::milliseconds;

c10::intrusive_ptr<c10d::Backend> make_gloo(const c10::intrusive_ptr<c10d::Store>& store, int rank, int world_size,
                                            Milliseconds timeout, const std::string& interface) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(interface.empty() ? c10d::ProcessGroupGloo::createDefaultDevice()
                                               : c10d::ProcessGroupGloo::createDeviceForInterface(interface));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, world_size, options);
}

std::map<std::string, BackendEntry>& backends() {
  static std::map<std::string, BackendEntry> entries{
      {"gloo", {c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, make_gloo}}};
  return entries;
}

std::mutex& mutex() {
  static std::mutex instance;
  return instance;
}

/// Groups that are open. Never destroyed: at exit a group may wait for a process that is gone.
std::map<std::string, Group>& groups() {
  static auto& instance = *new std::map<std::string, Group>;
  return instance;
}

Group group_named(c10::string_view name) {
  const std::lock_guard lock(mutex());
  const auto found = groups().find(std::string(name));
  TORCH_CHECK_VALUE(found != groups().end(), "there is no process group '", name, "'; open one by initProcessGroup()");
  return found->second;
}

/**
 * Joins a group, and waits for all its processes.
 *
 * @param backend names of backends, one for each kind of device, with commas between
 * @param serves whether this process holds the store at `host`:`port`
 * @param prefix keeps apart what several groups, or several attempts, put into one store
 */
void open(c10::string_view name, c10::string_view backend, c10::string_view host, int64_t port, int64_t rank,
          int64_t world_size, bool serves, c10::string_view prefix, c10::string_view interface, int64_t timeout_ms) {
  const Milliseconds timeout(timeout_ms);
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(port);
  options.isServer = serves;
  options.timeout = timeout;
  const c10::intrusive_ptr<c10d::Store> tcp = c10::make_intrusive<c10d::TCPStore>(std::string(host), options);
  const auto store = c10::make_intrusive<c10d::PrefixStore>(std::string(prefix), tcp);
  auto group = c10::make_intrusive<c10d::ProcessGroup>(store, static_cast<int>(rank), static_cast<int>(world_size));
  std::istringstream names{std::string(backend)};
  for (std::string each; std::getline(names, each, ',');) {
    BackendEntry entry;
    {
      const std::lock_guard lock(mutex());
      const auto found = backends().find(each);
      TORCH_CHECK_VALUE(found != backends().end(), "there is no backend '", each, "'",
                        each == "nccl" ? "; it comes with the CUDA library, which is not loaded" : "");
      entry = found->second;
    }
    const auto own = c10::make_intrusive<c10d::PrefixStore>(each, store);
    group->setBackend(entry.device, entry.type,
                      entry.make(own, static_cast<int>(rank), static_cast<int>(world_size), timeout,
                                 std::string(interface)));
    if (group->getBackendType() == c10d::ProcessGroup::BackendType::UNDEFINED) group->setDefaultBackend(entry.type);
  }
  group->setGroupName(std::string(name));
  const std::lock_guard lock(mutex());
  TORCH_CHECK_VALUE(groups().emplace(name, group).second, "there is a process group '", name, "' already");
  c10d::register_process_group(std::string(name), group);
}

/// Leaves a group; what is under way ends first.
void close(c10::string_view name) {
  Group group = group_named(name);
  {
    const std::lock_guard lock(mutex());
    groups().erase(std::string(name));
  }
  c10d::unregister_process_group(std::string(name));
}

/// Waits for all processes. Where some do not come in time, rank 0 names them.
void barrier(c10::string_view name, int64_t timeout_ms) {
  c10d::BarrierOptions options;
  options.timeout = Milliseconds(timeout_ms);
  group_named(name)->monitoredBarrier(options, true);
}

}  // namespace

void register_backend(const std::string& name, BackendEntry entry) {
  const std::lock_guard lock(mutex());
  backends()[name] = entry;
}

TORCH_LIBRARY_FRAGMENT(vision_native_distributed, library) {
  library.def(
      "process_group_open(str name, str backend, str host, int port, int rank, int world_size, bool serves, "
      "str prefix, str interface, int timeout_ms) -> ()",
      open);
  library.def("process_group_close(str name) -> ()", close);
  library.def("process_group_barrier(str name, int timeout_ms) -> ()", barrier);
}

}  // namespace vision_native::distributed
