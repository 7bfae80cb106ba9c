#include "node/graph_layouts.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace vision_native {

namespace {

/// Fail, or mean something else, for another order in memory.
constexpr std::array<std::string_view, 12> kByPlace{
    "view",        "view_as",            "_unsafe_view",    "_reshape_alias", "as_strided",      "as_strided_",
    "as_strided_copy", "as_strided_scatter", "view_as_complex", "view_as_real",   "resize_",         "resize_as_",
};

/// Give a view or a copy by the order in memory, which writes tell apart.
constexpr std::array<std::string_view, 6> kViewOrCopy{"reshape", "reshape_as", "flatten", "ravel", "contiguous", "to"};

template <size_t N>
bool among(const std::array<std::string_view, N>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::string_view short_name(const Instruction& instruction) {
  if (instruction.kind != Instruction::Kind::kCall) return {};
  const std::string_view name = instruction.op->operator_name().name;
  return name.substr(name.find("::") + 2);
}

const void* storage_of(const at::Tensor& tensor) {
  return tensor.defined() && tensor.has_storage() ? tensor.storage().unsafeGetStorageImpl() : nullptr;
}

Instruction restore(ValueId value, const at::Tensor& tensor, size_t modes) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kRestride;
  instruction.modes = modes;
  instruction.arguments.push_back({ArgumentSource::Kind::kValue, {}, {value}});
  instruction.arguments.push_back({ArgumentSource::Kind::kConstant, tensor.strides().vec(), {}});
  instruction.results = {{value}};
  instruction.result_is_list = {false};
  return instruction;
}

}  // namespace

bool keep_layouts(std::vector<Instruction>& instructions, const std::vector<bool>& fused,
                  const std::vector<ValueId>& outputs, const std::vector<at::Tensor>& tensors) {
  const bool any_writes = std::any_of(instructions.begin(), instructions.end(), writes);
  std::vector<size_t> last_use(tensors.size(), 0);
  for (size_t i = 0; i < instructions.size(); ++i) {
    for (const ArgumentSource& argument : instructions[i].arguments) {
      for (const ValueId value : argument.values) {
        if (value != kNoValue) last_use[value] = i;
      }
    }
  }
  for (const ValueId output : outputs) {
    if (output != kNoValue) last_use[output] = instructions.size();
  }

  std::vector<bool> moved(tensors.size(), false);
  /// Values so far, by the memory that they had at capture.
  std::unordered_map<const void*, std::vector<ValueId>> sharing;
  /// Memory of which one value was put back and another, older one is still in use.
  std::unordered_set<const void*> parted;
  std::vector<Instruction> result;
  const auto put_back = [&](ValueId value, size_t place, size_t modes) {
    if (value == kNoValue || !moved[value]) return;
    result.push_back(restore(value, tensors[value], modes));
    moved[value] = false;
    const void* storage = storage_of(tensors[value]);
    const auto& others = sharing[storage];
    const bool shared = std::any_of(others.begin(), others.end(), [&](ValueId other) {
      return other != value && last_use[other] >= place;
    });
    if (shared) parted.insert(storage);
  };

  for (size_t i = 0; i < instructions.size(); ++i) {
    Instruction& instruction = instructions[i];
    const std::string_view name = short_name(instruction);
    const bool by_place = instruction.kind != Instruction::Kind::kCall || among(kByPlace, name) ||
                          (any_writes && among(kViewOrCopy, name));
    const bool written = writes(instruction);
    bool moves = fused[i];
    for (const ArgumentSource& argument : instruction.arguments) {
      for (const ValueId value : argument.values) {
        if (value == kNoValue) continue;
        if (by_place) put_back(value, i, instruction.modes);
        if (written && parted.contains(storage_of(tensors[value]))) return false;
        moves = moves || moved[value];
      }
    }
    for (const auto& values : instruction.results) {
      for (const ValueId value : values) {
        // What is written in place stays where it is.
        if (value == kNoValue || !tensors[value].defined() || names(instruction, value)) continue;
        moved[value] = moves;
        sharing[storage_of(tensors[value])].push_back(value);
      }
    }
    result.push_back(std::move(instruction));
  }
  const size_t modes = result.empty() ? 0 : result.back().modes;
  for (const ValueId output : outputs) put_back(output, instructions.size(), modes);
  instructions = std::move(result);
  return true;
}

}  // namespace vision_native
