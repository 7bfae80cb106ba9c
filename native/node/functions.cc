#include "node/functions.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "node/guards.h"

namespace vision_native {

namespace {

constexpr size_t kMostArguments = 64;

std::string camel_case(const std::string& name) {
  std::string text;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '_' && i > 0 && i + 1 < name.size()) text += static_cast<char>(std::toupper(name[++i]));
    else text += name[i];
  }
  return text;
}

/// Overload names of every operator of the dispatcher that has a schema.
const std::map<std::string, std::vector<std::string>>& overloads_by_name() {
  static const auto table = [] {
    std::map<std::string, std::vector<std::string>> names;
    for (const auto& op : c10::Dispatcher::singleton().getAllOpNames()) names[op.name].push_back(op.overload_name);
    for (auto& entry : names) std::sort(entry.second.begin(), entry.second.end());
    return names;
  }();
  return table;
}

c10::OperatorHandle find_operator(const std::string& name, const std::string& overload) {
  auto op = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!op) {
    throw BridgeError("Argument", "there is no operator " + name + (overload.empty() ? "" : "." + overload) +
                                      "; names look like 'aten::add' or 'aten::add.Tensor'");
  }
  return *op;
}

}  // namespace

Candidate::Candidate(const c10::OperatorHandle& handle) : op(handle) {
  const auto& schema = op.schema();
  for (const auto& argument : schema.arguments()) {
    arguments.push_back(ArgumentSpec::of(argument));
    if (!argument.default_value() && !arguments.back().optional) positional.push_back(arguments.size() - 1);
  }
  for (const auto& result : schema.returns()) {
    int position = -1;
    const auto* alias = result.alias_info();
    for (size_t i = 0; alias != nullptr && alias->isWrite() && i < positional.size(); ++i) {
      const auto* other = schema.arguments()[positional[i]].alias_info();
      if (other != nullptr && other->isWrite() && other->beforeSets() == alias->beforeSets()) {
        position = static_cast<int>(i);
      }
    }
    returned_positional.push_back(position);
  }
}

int FunctionTable::define(const std::string& name, const std::vector<std::string>& requested) {
  std::vector<std::string> overloads = requested;
  if (overloads.empty()) {
    const auto found = overloads_by_name().find(name);
    if (found == overloads_by_name().end()) find_operator(name, "");
    else overloads = found->second;
  }
  std::string key = name;
  for (const auto& overload : overloads) key += '|' + overload;
  if (const auto known = ids_.find(key); known != ids_.end()) return known->second;

  Function function;
  function.name = name;
  for (const auto& overload : overloads) function.candidates.emplace_back(find_operator(name, overload));
  for (auto& candidate : function.candidates) {
    if (candidate.arguments.size() > kMostArguments) {
      throw BridgeError("Argument", name + ": operators with more than 64 arguments cannot be called");
    }
    for (size_t i = 0; i < candidate.arguments.size(); ++i) {
      if (std::find(candidate.positional.begin(), candidate.positional.end(), i) != candidate.positional.end()) continue;
      const std::string option = camel_case(candidate.arguments[i].name);
      const auto at = std::find(function.options.begin(), function.options.end(), option);
      const auto index = static_cast<size_t>(at - function.options.begin());
      if (at == function.options.end()) function.options.push_back(option);
      candidate.option_to_argument.resize(std::max(candidate.option_to_argument.size(), index + 1), -1);
      candidate.option_to_argument[index] = static_cast<int>(i);
    }
  }
  for (auto& candidate : function.candidates) candidate.option_to_argument.resize(function.options.size(), -1);
  functions_.push_back(std::move(function));
  const int id = static_cast<int>(functions_.size()) - 1;
  ids_.emplace(std::move(key), id);
  return id;
}

const Function& FunctionTable::at(size_t id) const {
  if (id >= functions_.size()) throw BridgeError("Argument", "the call frame is malformed: there is no such function");
  return functions_[id];
}

namespace {

/// The values of a call as they lie in the frame.
struct Layout {
  Value positional[kMostArguments];
  size_t positional_count = 0;
  Value options[kMostArguments];
  size_t option_index[kMostArguments];
  size_t option_count = 0;

  Layout(const Frame& frame, const Function& function, const Registry& registry) {
    const size_t end = frame.count_at(1);
    positional_count = frame.count_at(2);
    option_count = frame.count_at(3);
    if (positional_count > kMostArguments || option_count > kMostArguments) {
      throw BridgeError("Argument", function.name + ": more than 64 arguments; no operator takes that many");
    }
    size_t cursor = kCallValues;
    for (size_t i = 0; i < positional_count; ++i) positional[i] = Value::read(frame, cursor, registry);
    for (size_t i = 0; i < option_count; ++i) {
      option_index[i] = frame.count_at(cursor++);
      if (option_index[i] >= function.options.size()) {
        throw BridgeError("Argument", "the call frame is malformed: there is no such option");
      }
      options[i] = Value::read(frame, cursor, registry);
    }
    if (cursor > end) throw BridgeError("Argument", "the call frame is malformed: values pass its end");
  }
};

bool takes(const ArgumentSpec& spec, const Value& value) { return (spec.accepts & value.classes) != 0; }

bool matches(const Candidate& candidate, const Layout& layout) {
  if (layout.positional_count != candidate.positional.size()) return false;
  for (size_t i = 0; i < layout.positional_count; ++i) {
    if (!takes(candidate.arguments[candidate.positional[i]], layout.positional[i])) return false;
  }
  for (size_t i = 0; i < layout.option_count; ++i) {
    const int argument = candidate.option_to_argument[layout.option_index[i]];
    if (argument < 0 || !takes(candidate.arguments[argument], layout.options[i])) return false;
  }
  return true;
}

std::string type_text(const Candidate& candidate, size_t argument) {
  return candidate.op.schema().arguments()[argument].real_type()->str();
}

std::string wrong_value(const Candidate& candidate, size_t argument, const Value& value, const Frame& frame,
                        const Registry& registry) {
  const ArgumentSpec& spec = candidate.arguments[argument];
  std::string text = "'" + camel_case(spec.name) + "' takes " + type_text(candidate, argument) + ", got " +
                     describe(value, frame, registry);
  const bool whole = spec.kind == Kind::kInt || spec.kind == Kind::kIntList;
  if (whole && (value.tag == Tag::kDouble || value.tag == Tag::kDoubleList)) {
    text += ": it must be a whole number between ±2^53 (pass a bigint beyond that)";
  } else if (value.tag == Tag::kString && spec.kind == Kind::kScalarType) {
    text += ", which is no dtype; they are float32, int64, …";
  } else if (value.tag == Tag::kString && spec.kind == Kind::kDevice) {
    text += ", which is no device; they are cpu, cuda, cuda:N, meta";
  }
  return text;
}

/// Why one overload does not take the call.
std::string mismatch(const Function& function, const Candidate& candidate, const Layout& layout, const Frame& frame,
                     const Registry& registry) {
  if (layout.positional_count != candidate.positional.size()) {
    std::string text = "takes " + std::to_string(candidate.positional.size()) + " positional (";
    for (size_t i = 0; i < candidate.positional.size(); ++i) {
      text += (i > 0 ? ", " : "") + camel_case(candidate.arguments[candidate.positional[i]].name);
    }
    return text + "), got " + std::to_string(layout.positional_count);
  }
  for (size_t i = 0; i < layout.positional_count; ++i) {
    const size_t argument = candidate.positional[i];
    if (!takes(candidate.arguments[argument], layout.positional[i])) {
      return wrong_value(candidate, argument, layout.positional[i], frame, registry);
    }
  }
  for (size_t i = 0; i < layout.option_count; ++i) {
    const int argument = candidate.option_to_argument[layout.option_index[i]];
    if (argument < 0) return "has no option '" + function.options[layout.option_index[i]] + "'";
    if (!takes(candidate.arguments[argument], layout.options[i])) {
      return wrong_value(candidate, argument, layout.options[i], frame, registry);
    }
  }
  return "";
}

[[noreturn]] void no_candidate(const Function& function, const Layout& layout, const Frame& frame,
                               const Registry& registry) {
  std::string text = function.name + ": ";
  if (function.candidates.size() == 1) {
    text += mismatch(function, function.candidates[0], layout, frame, registry);
  } else {
    text += "no overload takes these arguments";
    for (const auto& candidate : function.candidates) {
      const std::string& overload = candidate.op.operator_name().overload_name;
      text += "\n  " + (overload.empty() ? std::string("default") : overload) + ": " +
              mismatch(function, candidate, layout, frame, registry);
    }
  }
  for (size_t i = 0; i < layout.positional_count; ++i) {
    // Of everything that may be wrong with a call, a disposed tensor is the cause, not a matter of types.
    if (layout.positional[i].tag == Tag::kTensor && registry.tensors.find(frame.at(layout.positional[i].at)) == nullptr) {
      throw BridgeError("Disposed", function.name + ": argument " + std::to_string(i + 1) +
                                        " is a tensor that was disposed, or that belongs to another thread");
    }
  }
  throw BridgeError("Argument", text);
}

}  // namespace

void prepare(const Frame& frame, const FunctionTable& functions, const Registry& registry, PreparedCall& call) {
  const Function& function = functions.at(frame.count_at(0));
  const Layout layout(frame, function, registry);
  const Candidate* chosen = nullptr;
  for (const auto& candidate : function.candidates) {
    if (matches(candidate, layout)) {
      chosen = &candidate;
      break;
    }
  }
  if (chosen == nullptr) no_candidate(function, layout, frame, registry);
  call.function = &function;
  call.candidate = chosen;

  const auto& schema = chosen->op.schema();
  constexpr size_t kDefault = ~size_t{0};
  size_t source[kMostArguments];
  const size_t count = chosen->arguments.size();
  std::fill_n(source, count, kDefault);
  for (size_t i = 0; i < layout.option_count; ++i) {
    source[chosen->option_to_argument[layout.option_index[i]]] = i;
  }
  call.stack.clear();
  call.stack.reserve(count);
  size_t position = 0;
  try {
    for (size_t i = 0; i < count; ++i) {
      if (position < chosen->positional.size() && chosen->positional[position] == i) {
        call.stack.push_back(convert(chosen->arguments[i], layout.positional[position++], frame, registry));
      } else if (source[i] != kDefault) {
        call.stack.push_back(convert(chosen->arguments[i], layout.options[source[i]], frame, registry));
      } else if (schema.arguments()[i].default_value()) {
        call.stack.push_back(*schema.arguments()[i].default_value());
      } else {
        call.stack.emplace_back();
      }
    }
  } catch (const BridgeError& error) {
    throw BridgeError(error.failure().kind, function.name + ": " + error.failure().message);
  }
}

void execute(PreparedCall& call) {
  if (const std::string reason = guard(call.candidate->op, call.stack); !reason.empty()) {
    throw BridgeError("Argument", reason);
  }
  call.candidate->op.callBoxed(call.stack);
}

std::string describe_tensors(const Candidate& candidate, const torch::jit::Stack& arguments) {
  std::string text;
  for (size_t i = 0; i < arguments.size() && i < candidate.arguments.size(); ++i) {
    if (!arguments[i].isTensor() || !arguments[i].toTensor().defined()) continue;
    text += (text.empty() ? "" : ", ") + camel_case(candidate.arguments[i].name) + " " + describe(arguments[i].toTensor());
  }
  return text;
}

std::vector<std::string> all_schemas() {
  std::vector<std::string> texts;
  for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (const auto op = c10::Dispatcher::singleton().findSchema(name)) {
      std::ostringstream text;
      text << op->schema();
      texts.push_back(text.str());
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace vision_native
