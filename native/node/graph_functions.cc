#include "node/graph_functions.h"

#include "node/async.h"
#include "node/js.h"
#include "node/tensor_access.h"

namespace vision_native {

namespace {

/// The tensors whose handles are at the start of the frame.
std::vector<at::Tensor> tensors_in_frame(Environment& self, double count, const char* what) {
  std::vector<at::Tensor> tensors;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) tensors.push_back(find_tensor(self, self.frame.at(i), what));
  return tensors;
}

std::shared_ptr<Graph> graph_of(Environment& self, const Parameters& in) {
  const auto found = self.graphs.find(static_cast<int64_t>(in.number(0)));
  if (found == self.graphs.end()) throw BridgeError("Disposed", "the captured graph was disposed");
  return found->second;
}

std::vector<at::Tensor> inputs_of(Environment& self, const Graph& graph) {
  return tensors_in_frame(self, static_cast<double>(graph.input_count()), "captured function");
}

napi_value begin_capture(Environment& self, const Parameters& in) {
  if (self.recorder) throw BridgeError("Config", "capture: a function is being captured already");
  self.recorder = std::make_unique<Recorder>(tensors_in_frame(self, in.number(0), "capture"));
  return nullptr;
}

napi_value end_capture(Environment& self, const Parameters& in) {
  const std::vector<at::Tensor> outputs = tensors_in_frame(self, in.number(0), "capture");
  const std::unique_ptr<Recorder> recorder = std::move(self.recorder);
  if (!recorder) throw BridgeError("Config", "capture: no function is being captured");
  const int64_t id = self.next_graph++;
  self.graphs.emplace(id, recorder->end(outputs, in.boolean(1)));
  return to_js(self.env, id);
}

napi_value abort_capture(Environment& self, const Parameters&) {
  self.recorder.reset();
  return nullptr;
}

napi_value run_graph(Environment& self, const Parameters& in) {
  const std::shared_ptr<Graph> graph = graph_of(self, in);
  const std::vector<at::Tensor> inputs = inputs_of(self, *graph);
  const StateClaim claim(*graph);
  torch::jit::Stack outputs = graph->run(inputs, nullptr);
  self.write_results(nullptr, outputs);
  self.report_memory();
  return nullptr;
}

napi_value run_graph_async(Environment& self, const Parameters& in) {
  rest_openmp();
  const std::shared_ptr<Graph> graph = graph_of(self, in);
  return to_js(self.env, self.start(std::make_unique<GraphJob>(self, graph, inputs_of(self, *graph), in.function(1))));
}

napi_value modes_key(Environment& self, const Parameters&) { return to_js(self.env, RecordedModes::key_now()); }

napi_value graph_fit(Environment& self, const Parameters& in) {
  return to_js(self.env, static_cast<double>(graph_of(self, in)->fit()));
}

napi_value graph_text(Environment& self, const Parameters& in) { return to_js(self.env, graph_of(self, in)->text()); }

napi_value free_graph(Environment& self, const Parameters& in) {
  self.graphs.erase(static_cast<int64_t>(in.number(0)));
  return nullptr;
}

}  // namespace

void declare_graph_functions(napi_env env, napi_value exports) {
  declare(env, exports, "beginCapture", entry<begin_capture>);
  declare(env, exports, "endCapture", entry<end_capture>);
  declare(env, exports, "abortCapture", entry<abort_capture>);
  declare(env, exports, "runGraph", entry<run_graph>);
  declare(env, exports, "runGraphAsync", entry<run_graph_async>);
  declare(env, exports, "modesKey", entry<modes_key>);
  declare(env, exports, "graphFit", entry<graph_fit>);
  declare(env, exports, "graphText", entry<graph_text>);
  declare(env, exports, "freeGraph", entry<free_graph>);
}

}  // namespace vision_native
