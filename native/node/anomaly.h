#pragma once
// Anomaly mode: nodes of the autograd graph remember the line of JavaScript whose operator made them, and a failing
// backward names it.
#include <node_api.h>

#include <memory>
#include <string>

namespace vision_native {

class Environment;

/// While it lives, nodes that this thread makes belong to the line that JavaScript is at. Does nothing unless anomaly
/// mode is on.
class AnomalySite {
 public:
  explicit AnomalySite(Environment& environment);
  ~AnomalySite();
  AnomalySite(const AnomalySite&) = delete;
  AnomalySite& operator=(const AnomalySite&) = delete;

 private:
  bool set_;
  std::shared_ptr<const std::string> previous_;
};

void declare_anomaly_functions(napi_env env, napi_value exports);

}  // namespace vision_native
