#!/bin/sh
# prebuildify calls this as `node-gyp rebuild --target=… --devdir=…`. cmake-js knows none of these options, and a
# Node-API binary needs none of them.
exec "$VISION_NATIVE_CMAKE_JS" rebuild --directory "$VISION_NATIVE_ROOT" --out "$PWD/build" \
  --parallel "$VISION_NATIVE_JOBS" "--CDLIBTORCH=$LIBTORCH"
