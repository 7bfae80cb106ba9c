// A graph for people to read.
#include <sstream>

#include "node/graph.h"
#include "node/graph_device.h"
#include "node/value.h"

namespace vision_native {

std::string Graph::text() const {
  std::ostringstream out;
  const auto name = [](ValueId id) { return id == kNoValue ? std::string("none") : "%" + std::to_string(id); };
  const auto names = [&](const std::vector<ValueId>& ids) {
    std::string text;
    for (const ValueId id : ids) text += (text.empty() ? "" : ", ") + name(id);
    return text;
  };
  out << "graph(";
  for (size_t i = 0; i < inputs_; ++i) out << (i > 0 ? ", " : "") << name(static_cast<ValueId>(i));
  out << ")\n";
  for (size_t id = 0; id < external_of_.size(); ++id) {
    if (external_of_[id] == kNoValue) continue;
    const External& external = externals_[external_of_[id]];
    out << "  " << name(static_cast<ValueId>(id)) << ": " << describe(external.tensor) << (external.written ? ", written" : "");
    if (external.had_gradient) out << (*external.had_gradient ? ", with a gradient" : ", without a gradient");
    out << '\n';
  }
  for (const auto& instruction : instructions_) {
    out << "  ";
    std::string results;
    for (size_t i = 0; i < instruction.results.size(); ++i) {
      const std::string text = names(instruction.results[i]);
      results += (i > 0 ? ", " : "") + (instruction.result_is_list[i] ? "[" + text + "]" : text);
    }
    if (!results.empty()) out << results << " = ";
    if (instruction.kind == Instruction::Kind::kGetGradient) {
      out << "gradient of " << name(instruction.arguments[0].values[0]);
    } else if (instruction.kind == Instruction::Kind::kSetGradient) {
      out << "gradient of " << name(instruction.arguments[0].values[0]) << " := "
          << name(instruction.arguments[0].values[1]);
    } else if (instruction.kind == Instruction::Kind::kRestride) {
      out << name(instruction.arguments[0].values[0]) << " with strides " << instruction.arguments[1].constant;
    } else {
      out << instruction.op->operator_name() << '(';
      for (size_t i = 0; i < instruction.arguments.size(); ++i) {
        const auto& argument = instruction.arguments[i];
        out << (i > 0 ? ", " : "");
        if (argument.constant.isTensor()) out << describe(argument.constant.toTensor());
        else if (argument.kind == ArgumentSource::Kind::kConstant) out << argument.constant;
        else if (argument.kind == ArgumentSource::Kind::kValue) out << name(argument.values[0]);
        else out << '[' << names(argument.values) << ']';
      }
      out << ')';
    }
    if (!instruction.released.empty()) out << "  # frees " << names(instruction.released);
    out << '\n';
  }
  out << "  return " << names(outputs_) << '\n';
  if (const std::string device = DevicePlan::text(*this); !device.empty()) out << "  # " << device << '\n';
  return out.str();
}

}  // namespace vision_native
