#pragma once
#include <node_api.h>

namespace vision_native {

/// Adds the functions of bindings.d.ts that switch mixed precision.
void declare_autocast_functions(napi_env env, napi_value exports);

}  // namespace vision_native
