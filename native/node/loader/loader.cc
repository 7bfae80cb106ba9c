// The loader: the one binary that Node itself opens. It links no LibTorch, so it loads on any machine and can say what
// is missing there; it opens LibTorch by absolute path, after which the bridge finds those libraries by SONAME.

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <napi.h>

#include <string>

namespace {

std::string path_argument(const Napi::CallbackInfo& info, const char* function) {
  if (info.Length() != 1 || !info[0].IsString()) {
    throw Napi::TypeError::New(info.Env(), std::string(function) + ": expected one argument, the path of a library");
  }
  std::string path = info[0].As<Napi::String>().Utf8Value();
  // An empty name would mean the main program, and dlopen would read a name only up to its first NUL.
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw Napi::TypeError::New(info.Env(), std::string(function) + ": a library path is not empty and holds no NUL");
  }
  return path;
}

void open(const Napi::CallbackInfo& info) {
  const std::string path = path_argument(info, "open");
  // RTLD_LOCAL keeps LibTorch's symbols (protobuf, zlib, OpenMP) from answering for other addons. The handle is dropped
  // on purpose: LibTorch registers thread-local and static state that must outlive every environment.
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
    const char* reason = dlerror();
    throw Napi::Error::New(info.Env(), reason != nullptr ? reason : "dlopen failed without a reason: " + path);
  }
}

Napi::Value is_open(const Napi::CallbackInfo& info) {
  const std::string path = path_argument(info, "isOpen");
  void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) {
    dlerror();
    return Napi::Boolean::New(info.Env(), false);
  }
  // Gives back the reference that the question took; whoever opened the library still holds theirs.
  dlclose(handle);
  return Napi::Boolean::New(info.Env(), true);
}

Napi::Value glibc_version(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), gnu_get_libc_version());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("open", Napi::Function::New(env, open, "open"));
  exports.Set("isOpen", Napi::Function::New(env, is_open, "isOpen"));
  exports.Set("glibcVersion", Napi::Function::New(env, glibc_version, "glibcVersion"));
  return exports;
}

}  // namespace

NODE_API_MODULE(vision_native_loader, init)
