#pragma once
// Captured graphs: a list of boxed calls that runs again with other inputs, off the event loop and without JavaScript.
#include <ATen/ThreadLocalState.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "node/block_pool.h"
#include "torch/replay.h"
#include "torch/run_context.h"

namespace vision_native {

/// A value of a graph: an input, a tensor that was there before (a parameter, a constant), or a result.
using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;

/// Where an argument of a recorded call comes from.
struct ArgumentSource {
  enum class Kind { kConstant, kValue, kValues, kOptionalValues };
  Kind kind = Kind::kConstant;
  c10::IValue constant;
  std::vector<ValueId> values;
};

/// The modes of a thread that decide what an operator does, as they were when a call was recorded.
struct RecordedModes {
  at::ThreadLocalState state;
  c10::ScalarType autocast_cpu;
  c10::ScalarType autocast_cuda;
  /// No gradients are recorded and nothing is cast.
  bool plain_inference;

  static RecordedModes now();
  /// Equal for modes that are the same.
  static std::string key_now();
};

struct Instruction {
  /// kRestride gives a value the strides it had at capture.
  enum class Kind { kCall, kGetGradient, kSetGradient, kRestride };
  Kind kind = Kind::kCall;
  std::optional<c10::OperatorHandle> op;
  std::vector<ArgumentSource> arguments;
  /// For each return its values: one for a tensor, several for a list; kNoValue where it is undefined.
  std::vector<std::vector<ValueId>> results;
  std::vector<bool> result_is_list;
  /// Values of no use after this instruction.
  std::vector<ValueId> released;
  size_t modes = 0;
  bool writes_external = false;
};

/// Whether an instruction changes any of its arguments.
bool writes(const Instruction& instruction);
/// Whether a value is among its arguments.
bool names(const Instruction& instruction, ValueId value);

class Graph {
 public:
  /// Runs the instructions. `inputs` must be as they were at capture in number, dtype, device and sizes.
  std::vector<c10::IValue> run(const std::vector<at::Tensor>& inputs, const RunContext* context) const;

  enum class Fit {
    kFits,
    /// Another state of gradients than the capture met: a graph of its own is needed, this one may fit again later.
    kOther,
    /// A tensor that the graph holds has another dtype, device, sizes, strides or requires-grad since capture, or one
    /// that was folded into constants has other values.
    kStale
  };
  Fit fit() const;

  /// Runs change tensors that outlive them, so two must not run at a time.
  bool writes_state() const { return writes_state_; }
  struct Storages {
    std::vector<const void*> written;
    std::vector<const void*> read;
  };
  /// What the graph holds, by whether runs change it or its gradient.
  Storages storages() const;
  std::string text() const;

  size_t input_count() const { return inputs_; }
  /// Tensors the graph reads but never writes, whose change during a run would mix two states.
  std::vector<at::Tensor> read_only() const;
  /// Whether each input is written by the graph.
  const std::vector<bool>& written_inputs() const { return written_inputs_; }

 private:
  friend class Recorder;
  friend class DevicePlan;
  friend class GraphOptimizer;
  struct External {
    at::Tensor tensor;
    c10::ScalarType dtype;
    c10::Device device;
    std::vector<int64_t> sizes;
    std::vector<int64_t> strides;
    bool requires_grad;
    bool written = false;
    /// Whether it had a gradient when the capture began, where that decided what was recorded.
    std::optional<bool> had_gradient;
    /// The graph adds to the gradient that was there before the run.
    bool adds_to_gradient = false;
  };
  struct Device;
  /// A tensor that constants of the graph were computed from, as it was then. The storage is held, so that no other one
  /// can be in its place.
  struct Folded {
    at::Tensor tensor;
    c10::Storage storage;
    const void* data;
    uint32_t version;
  };

  std::vector<at::Tensor> run_instructions(const std::vector<at::Tensor>& inputs, const RunContext* context) const;
  std::vector<at::Tensor> run_on_device(const std::vector<at::Tensor>& inputs) const;
  std::vector<std::uintptr_t> addresses() const;

  size_t inputs_ = 0;
  std::vector<bool> written_inputs_;
  std::vector<External> externals_;
  /// For each value its place in `externals_`, or kNoValue.
  std::vector<int32_t> external_of_;
  std::vector<Instruction> instructions_;
  std::vector<RecordedModes> modes_;
  std::vector<ValueId> outputs_;
  bool writes_state_ = false;
  std::vector<Folded> folded_;
  mutable memory::BlockPools pools_;
  /// Set where all values are on one CUDA device and nothing hinders a device graph.
  std::shared_ptr<Device> device_;
  /// Why there is no device graph although there are CUDA tensors.
  std::string device_refusal_;
};

/// Writes down the calls of a function while it runs.
class Recorder {
  using External = Graph::External;

 public:
  explicit Recorder(const std::vector<at::Tensor>& inputs);

  /// Before a call runs: where its arguments come from. Throws when the call cannot be part of a graph.
  Instruction begin(const c10::OperatorHandle& op, const torch::jit::Stack& arguments);
  /// After it ran: what its results are.
  void finish(Instruction instruction, const torch::jit::Stack& results);

  /// `gradient` is undefined where the leaf has none.
  void gradient_read(const at::Tensor& leaf, const at::Tensor& gradient);
  void gradient_written(const at::Tensor& leaf, const at::Tensor& gradient);

  /// @param optimize fuses operators where that changes no result by more than rounding
  std::shared_ptr<Graph> end(const std::vector<at::Tensor>& outputs, bool optimize);

 private:
  ValueId known(const at::Tensor& tensor);
  ValueId value_of(const at::Tensor& tensor);
  ValueId result_of(const at::Tensor& tensor);
  ValueId new_value(const at::Tensor& tensor);
  void mark_written(ValueId value, Instruction& instruction);
  void note_backward();
  External* external(ValueId value);
  size_t current_modes();

  std::shared_ptr<Graph> graph_ = std::make_shared<Graph>();
  std::unordered_map<const c10::TensorImpl*, ValueId> ids_;
  /// Every tensor seen, so that no address is used twice while it identifies a value.
  std::vector<at::Tensor> seen_;
  std::unordered_map<std::string, size_t> modes_ids_;
  /// Leaves whose gradient the function itself has set or looked at.
  std::unordered_set<ValueId> known_gradients_;
  bool backward_seen_ = false;
};

}  // namespace vision_native
