#pragma once
// Functions: an operator's candidate overloads in the order they are tried, and the choice among them.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "node/value.h"

namespace vision_native {

/// One overload, with the place of each schema argument in a call's layout.
struct Candidate {
  explicit Candidate(const c10::OperatorHandle& op);

  c10::OperatorHandle op;
  std::vector<ArgumentSpec> arguments;
  /// Schema arguments without a default and of a type that is not optional: these are passed by position.
  std::vector<size_t> positional;
  /// For each option of the function, the schema argument it sets, or −1.
  std::vector<int> option_to_argument;
  /// For each return, the position of the very argument that it is (`Tensor(a!)`), or −1.
  std::vector<int> returned_positional;
};

struct Function {
  std::string name;
  std::vector<Candidate> candidates;
  /// Names of the options of all candidates, in camelCase.
  std::vector<std::string> options;
};

class FunctionTable {
 public:
  /// The id of a function; the same one when it was defined before. `overloads` may be empty: all of them.
  int define(const std::string& name, const std::vector<std::string>& overloads);
  const Function& at(size_t id) const;
  size_t size() const { return functions_.size(); }

 private:
  /// A function stays where it is: a hook that runs within a call of one may define others.
  std::deque<Function> functions_;
  std::unordered_map<std::string, int> ids_;
};

/// A call taken out of the frame: the overload that fits, and its arguments as a stack.
struct PreparedCall {
  const Function* function = nullptr;
  const Candidate* candidate = nullptr;
  torch::jit::Stack stack;
};

/// Reads the call in the frame into `call`; throws when no overload takes these values.
void prepare(const Frame& frame, const FunctionTable& functions, const Registry& registry, PreparedCall& call);

/// Runs it; afterwards the stack holds the returns. When it throws, the stack holds nothing of use.
void execute(PreparedCall& call);

/// The tensors among the arguments in words, "self [2, 3] float32, other [4] float32", for the message of a failure.
std::string describe_tensors(const Candidate& candidate, const torch::jit::Stack& arguments);

/// Text of every schema of the dispatcher that has one.
std::vector<std::string> all_schemas();

}  // namespace vision_native
