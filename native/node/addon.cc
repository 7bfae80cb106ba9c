// The functions of bindings.d.ts, and the module's entry.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/InferenceMode.h>
#include <node_api.h>
#include <omp.h>
#include <torch/headeronly/version.h>

#include <unordered_set>

#include "node/anomaly.h"
#include "node/async.h"
#include "node/autocast.h"
#include "node/autograd.h"
#include "node/environment.h"
#include "node/graph_functions.h"
#include "node/js.h"
#include "node/memory.h"
#include "node/tensor_access.h"
#include "node/transfer.h"

namespace vision_native {

namespace {

// ---- Calls ----------------------------------------------------------------------------------------------------------

napi_value attach(Environment& self, const Parameters& in) {
  self.attach(in.array_buffer(0), in.function(1));
  return nullptr;
}

napi_value schemas(Environment& self, const Parameters&) { return to_js(self.env, all_schemas()); }

napi_value define(Environment& self, const Parameters& in) {
  const int id = self.functions.define(in.text(0), in.texts(1));
  napi_value result;
  napi_create_object(self.env, &result);
  set(self.env, result, "id", static_cast<double>(id));
  set(self.env, result, "options", self.functions.at(id).options);
  return result;
}

napi_value intern(Environment& self, const Parameters& in) {
  const std::string text = in.text(0);
  const auto [at, fresh] = self.string_ids.try_emplace(text, self.registry.strings.size());
  if (fresh) self.registry.strings.emplace_back(text);
  return to_js(self.env, at->second);
}

napi_value reset_strings(Environment& self, const Parameters&) {
  self.string_ids.clear();
  self.registry.strings.clear();
  return nullptr;
}

/// The hot path: no arguments, and no result but what is in the frame.
napi_value invoke(napi_env env, napi_callback_info) {
  Environment& self = Environment::of(env);
  const Environment::Timer timer(self);
  bool prepared = false;
  Failure failure;
  const bool fine = guarded(failure, [&] {
    prepare(self.frame, self.functions, self.registry, self.call);
    prepared = true;
    const AnomalySite site(self);
    const HookThreadGuard hooks(*self.hooks);
    if (self.recorder) {
      Instruction instruction = self.recorder->begin(self.call.candidate->op, self.call.stack);
      execute(self.call);
      self.recorder->finish(std::move(instruction), self.call.stack);
    } else {
      execute(self.call);
    }
    self.write_results(self.call.candidate, self.call.stack);
    self.report_memory();
  });
  if (fine) return nullptr;
  if (prepared) {
    // The operator consumed its arguments; they are read once more to say which tensors it was about.
    Failure ignored;
    guarded(ignored, [&] {
      prepare(self.frame, self.functions, self.registry, self.call);
      const std::string tensors = describe_tensors(*self.call.candidate, self.call.stack);
      failure.message = self.call.function->name + ": " + failure.message + (tensors.empty() ? "" : " (" + tensors + ")");
    });
  }
  self.call.stack.clear();
  napi_throw(env, self.make_error(failure));
  return nullptr;
}

napi_value fetch_results(Environment& self, const Parameters&) {
  torch::jit::Stack returns = std::move(self.pending);
  self.pending.clear();
  self.write_results(nullptr, returns);
  return nullptr;
}

void refuse_while_capturing(const Environment& self, const char* what) {
  if (!self.recorder) return;
  throw BridgeError("Config", std::string(what) + " while a function is captured: a graph could not repeat it; "
                                                  "do it outside the captured function");
}

napi_value invoke_async(Environment& self, const Parameters& in) {
  refuse_while_capturing(self, "an asynchronous call was made");
  PreparedCall call;
  prepare(self.frame, self.functions, self.registry, call);
  auto job = std::make_unique<OperatorJob>(self, std::move(call), in.function(0), in.function_if_any(1));
  return to_js(self.env, self.start(std::move(job)));
}

napi_value cancel(Environment& self, const Parameters& in) {
  self.cancel(static_cast<int64_t>(in.number(0)));
  return nullptr;
}

// ---- Tensors --------------------------------------------------------------------------------------------------------

napi_value free_handles(Environment& self, const Parameters& in) {
  const size_t count = std::min(static_cast<size_t>(std::max(0.0, in.number(0))), self.frame.size);
  for (size_t i = 0; i < count; ++i) self.registry.tensors.erase(self.frame.data[i]);
  self.hooks->sweep();
  self.report_memory();
  return nullptr;
}

napi_value describe_handle(Environment& self, const Parameters&) {
  describe_to_frame(self);
  return nullptr;
}

napi_value from_bytes(Environment& self, const Parameters& in) {
  const auto [data, bytes] = in.bytes(0);
  const double handle = tensor_from_bytes(self, data, bytes);
  self.report_memory();
  return to_js(self.env, handle);
}

napi_value to_bytes(Environment& self, const Parameters& in) {
  refuse_while_capturing(self, "data of a tensor was read");
  const at::Tensor tensor = find_tensor(self, in.number(0), "dataSync");
  const auto [data, bytes] = in.bytes(1);
  copy_elements(tensor, data, bytes);
  return nullptr;
}

napi_value to_bytes_async(Environment& self, const Parameters& in) {
  refuse_while_capturing(self, "data of a tensor was read");
  const at::Tensor tensor = find_tensor(self, in.number(0), "data");
  return to_js(self.env, self.start(std::make_unique<CopyJob>(self, tensor, in.array_buffer(1), in.function(2))));
}

napi_value grad(Environment& self, const Parameters& in) {
  const at::Tensor& leaf = find_tensor(self, in.number(0), "grad");
  const at::Tensor gradient = leaf.grad();
  if (self.recorder) self.recorder->gradient_read(leaf, gradient);
  return to_js(self.env, gradient.defined() ? self.registry.tensors.insert(gradient) : 0.0);
}

napi_value set_grad(Environment& self, const Parameters& in) {
  const at::Tensor& tensor = find_tensor(self, in.number(0), "grad");
  if (!tensor.is_leaf()) throw BridgeError("Argument", "grad: only a leaf tensor holds a gradient; this one was computed");
  at::Tensor gradient;
  if (in.number(1) != 0) gradient = find_tensor(self, in.number(1), "grad");
  if (gradient.defined()) {
    if (!gradient.sizes().equals(tensor.sizes())) {
      throw BridgeError("Shape", "grad: a gradient " + describe(gradient) + " does not fit its tensor " + describe(tensor));
    }
    if (gradient.scalar_type() != tensor.scalar_type()) {
      throw BridgeError("DType", "grad: a gradient " + describe(gradient) + " does not fit its tensor " + describe(tensor));
    }
    if (gradient.device() != tensor.device()) {
      throw BridgeError("Device", "grad: a gradient " + describe(gradient) + " does not fit its tensor " + describe(tensor));
    }
  }
  if (self.recorder) self.recorder->gradient_written(tensor, gradient);
  tensor.mutable_grad() = gradient;
  return nullptr;
}

// ---- Random numbers, modes, threads, machine ------------------------------------------------------------------------

napi_value generator(Environment& self, const Parameters& in) {
  const InternedString device(in.text(0));
  if (!device.device || device.device->is_meta()) {
    throw BridgeError("Device", "generator: '" + device.text + "' is no device with random numbers; use cpu or cuda:N");
  }
  at::Generator made;
  if (device.device->is_cuda()) {
    made = at::detail::getCUDAHooks().getNewGenerator(device.device->index());
  } else {
    made = at::detail::createCPUGenerator();
  }
  made.set_current_seed(static_cast<uint64_t>(in.bigint(1)));
  const int64_t id = self.registry.next_generator++;
  self.registry.generators.emplace(id, std::move(made));
  return to_js(self.env, id);
}

napi_value free_generator(Environment& self, const Parameters& in) {
  self.registry.generators.erase(static_cast<int64_t>(in.number(0)));
  return nullptr;
}

/// LibTorch keeps the hooks that it finds when they are first asked for: asked before its CUDA part is opened, it would
/// go on without CUDA for good.
int device_count() {
  return at::CUDAHooksRegistry()->Has("CUDAHooks") ? at::detail::getCUDAHooks().deviceCount() : 0;
}

napi_value manual_seed(Environment&, const Parameters& in) {
  const auto seed = static_cast<uint64_t>(in.bigint(0));
  const auto reseed = [seed](const at::Generator& of) {
    at::Generator generator = of;
    std::lock_guard lock(generator.mutex());
    generator.set_current_seed(seed);
  };
  reseed(at::globalContext().defaultGenerator(at::kCPU));
  for (int i = 0; i < device_count(); ++i) {
    reseed(at::globalContext().defaultGenerator(c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(i))));
  }
  return nullptr;
}

napi_value grad_enabled(Environment& self, const Parameters&) { return to_js(self.env, at::GradMode::is_enabled()); }

napi_value set_grad_enabled(Environment&, const Parameters& in) {
  at::GradMode::set_enabled(in.boolean(0));
  return nullptr;
}

napi_value inference_mode(Environment& self, const Parameters&) {
  return to_js(self.env, c10::InferenceMode::is_enabled());
}

napi_value set_inference_mode(Environment&, const Parameters& in) {
  // As c10::InferenceMode's guard sets them, without a C++ scope to bind it to.
  const bool on = in.boolean(0);
  c10::AutogradState::set_tls_state(c10::AutogradState(/*grad_mode=*/!on, /*inference_mode=*/on,
                                                       /*fw_grad_mode=*/!on, /*multithreading_enabled=*/!on));
  auto included = c10::impl::tls_local_dispatch_key_set().included_;
  auto excluded = c10::impl::tls_local_dispatch_key_set().excluded_;
  included = on ? included.remove(c10::DispatchKey::ADInplaceOrView) : included.add(c10::DispatchKey::ADInplaceOrView);
  excluded = on ? excluded | c10::autograd_dispatch_keyset : excluded - c10::autograd_dispatch_keyset;
  c10::impl::PODLocalDispatchKeySet keys{};
  keys.set_included(included);
  keys.set_excluded(excluded);
  c10::impl::_force_tls_local_dispatch_key_set(keys);
  return nullptr;
}

napi_value num_threads(Environment& self, const Parameters&) {
  return to_js(self.env, static_cast<double>(omp_get_max_threads()));
}

napi_value set_num_threads(Environment&, const Parameters& in) {
  const double threads = in.number(0);
  if (!(threads >= 1 && threads <= 1024)) throw BridgeError("Config", "setNumThreads: between 1 and 1024 threads");
  set_thread_limit(static_cast<int>(threads));
  return nullptr;
}

/// Of the whole process: 0 off, 1 operators that cannot give the same bits again are refused, 2 they are told of.
napi_value deterministic(Environment& self, const Parameters&) {
  const auto& context = at::globalContext();
  const double mode = !context.deterministicAlgorithms() ? 0 : context.deterministicAlgorithmsWarnOnly() ? 2 : 1;
  return to_js(self.env, mode);
}

napi_value set_deterministic(Environment&, const Parameters& in) {
  const double mode = in.number(0);
  if (mode != 0 && mode != 1 && mode != 2) throw BridgeError("Config", "deterministic: a mode is 0, 1 or 2");
  at::globalContext().setDeterministicAlgorithms(mode != 0, mode == 2);
  return nullptr;
}

napi_value libtorch_version(Environment& self, const Parameters&) { return to_js(self.env, std::string(TORCH_VERSION)); }

napi_value cpu_capability(Environment& self, const Parameters&) {
  return to_js(self.env, std::string(at::get_cpu_capability()));
}

napi_value cuda_device_count(Environment& self, const Parameters&) {
  return to_js(self.env, static_cast<double>(device_count()));
}

napi_value memory_figures(Environment& self, const Parameters&) {
  std::unordered_set<const void*> storages;
  std::unordered_map<std::string, int64_t> bytes;
  self.registry.tensors.for_each([&](double, const at::Tensor& tensor) {
    if (!tensor.has_storage() || !storages.insert(tensor.storage().unsafeGetStorageImpl()).second) return;
    bytes[tensor.device().str()] += static_cast<int64_t>(tensor.storage().nbytes());
  });
  napi_value result, by_device;
  napi_create_object(self.env, &result);
  napi_create_object(self.env, &by_device);
  for (const auto& [device, count] : bytes) set(self.env, by_device, device.c_str(), count);
  set(self.env, result, "tensors", self.registry.tensors.size());
  set(self.env, result, "storages", storages.size());
  napi_set_named_property(self.env, result, "bytes", by_device);
  set(self.env, result, "allocatedCpuBytes", memory::allocated());
  set(self.env, result, "peakCpuBytes", memory::peak());
  set(self.env, result, "limitCpuBytes", memory::limit());
  return result;
}

napi_value set_cpu_memory_limit(Environment&, const Parameters& in) {
  const double bytes = in.number(0);
  if (!(bytes >= 0)) throw BridgeError("Config", "memory.setCpuLimit: a number of bytes of 0 or more");
  memory::set_limit(bytes >= 9.2e18 ? INT64_MAX : static_cast<int64_t>(bytes));
  return nullptr;
}

napi_value reset_peak(Environment&, const Parameters&) {
  memory::reset_peak();
  return nullptr;
}

napi_value longest_call_ms(Environment& self, const Parameters&) { return to_js(self.env, self.take_longest_call_ms()); }

// ---- Entry ----------------------------------------------------------------------------------------------------------

napi_value init(napi_env env, napi_value exports) {
  memory::install();
  auto* environment = new Environment(env);
  napi_set_instance_data(env, environment, nullptr, nullptr);
  // Added after the thread-safe function was made, so run before it goes: running jobs still call it.
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Environment*>(data); }, environment);

  declare(env, exports, "invoke", invoke);
  declare(env, exports, "attach", entry<attach>);
  declare(env, exports, "schemas", entry<schemas>);
  declare(env, exports, "define", entry<define>);
  declare(env, exports, "intern", entry<intern>);
  declare(env, exports, "resetStrings", entry<reset_strings>);
  declare(env, exports, "fetchResults", entry<fetch_results>);
  declare(env, exports, "invokeAsync", entry<invoke_async>);
  declare(env, exports, "cancel", entry<cancel>);
  declare(env, exports, "free", entry<free_handles>);
  declare(env, exports, "describe", entry<describe_handle>);
  declare(env, exports, "fromBytes", entry<from_bytes>);
  declare(env, exports, "toBytes", entry<to_bytes>);
  declare(env, exports, "toBytesAsync", entry<to_bytes_async>);
  declare(env, exports, "grad", entry<grad>);
  declare(env, exports, "setGrad", entry<set_grad>);
  declare(env, exports, "generator", entry<generator>);
  declare(env, exports, "freeGenerator", entry<free_generator>);
  declare(env, exports, "manualSeed", entry<manual_seed>);
  declare(env, exports, "gradEnabled", entry<grad_enabled>);
  declare(env, exports, "setGradEnabled", entry<set_grad_enabled>);
  declare(env, exports, "inferenceMode", entry<inference_mode>);
  declare(env, exports, "setInferenceMode", entry<set_inference_mode>);
  declare(env, exports, "numThreads", entry<num_threads>);
  declare(env, exports, "setNumThreads", entry<set_num_threads>);
  declare(env, exports, "deterministic", entry<deterministic>);
  declare(env, exports, "setDeterministic", entry<set_deterministic>);
  declare(env, exports, "libtorchVersion", entry<libtorch_version>);
  declare(env, exports, "cpuCapability", entry<cpu_capability>);
  declare(env, exports, "cudaDeviceCount", entry<cuda_device_count>);
  declare(env, exports, "memory", entry<memory_figures>);
  declare(env, exports, "setCpuMemoryLimit", entry<set_cpu_memory_limit>);
  declare(env, exports, "resetPeakMemory", entry<reset_peak>);
  declare(env, exports, "longestCallMs", entry<longest_call_ms>);
  declare_graph_functions(env, exports);
  declare_autocast_functions(env, exports);
  declare_autograd_functions(env, exports);
  declare_anomaly_functions(env, exports);
  declare_transfer_functions(env, exports);
  return exports;
}

}  // namespace

}  // namespace vision_native

NAPI_MODULE_INIT(/* env, exports */) { return vision_native::init(env, exports); }
