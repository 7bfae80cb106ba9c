// Drives the states of device graphs (native/torch/replay.h) with a runtime that only writes down what it is asked.
// Prints one line a run; replay.test.ts reads them.
#include "torch/replay.h"

#include <cstdio>
#include <cstring>
#include <stdexcept>

using namespace vision_native;

namespace {

std::string events;
bool capture_fails = false;

class FakeGraph final : public DeviceGraph {
 public:
  void capture(const std::function<void()>& body) override {
    events += "capture(";
    body();
    events += ")";
    if (capture_fails) throw std::runtime_error("an operator waits");
  }
  void replay() override { events += "replay"; }
  ~FakeGraph() override { events += "~"; }
};

class FakeRuntime final : public DeviceRuntime {
 public:
  std::unique_ptr<DeviceGraph> make_graph(int) override { return std::make_unique<FakeGraph>(); }
  void on_side_stream(int device, const std::function<void()>& body) override {
    events += "side" + std::to_string(device) + "(";
    body();
    events += ")";
  }
};

void run(Replay& replay, const std::vector<std::uintptr_t>& addresses) {
  events.clear();
  const bool replayed = replay.run(
      addresses, [] { events += "body"; }, [] { events += "+"; });
  std::printf("%s %s | %s\n", replayed ? "graph" : "plain", events.c_str(), replay.text().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  FakeRuntime runtime;
  Replay replay(runtime, 2);
  const std::string scenario = argc > 1 ? argv[1] : "";
  capture_fails = scenario == "refused";
  for (int i = 0; i < 3; ++i) run(replay, {1});
  if (scenario == "steady" || scenario == "refused") {
    for (int i = 0; i < 3; ++i) run(replay, {1});
  } else {
    // Memory that moves every time.
    for (std::uintptr_t i = 0; i < 6; ++i) run(replay, {i});
  }
  return 0;
}
