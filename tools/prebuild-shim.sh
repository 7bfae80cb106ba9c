#!/bin/sh
# prebuildify calls this as `node-gyp rebuild --target=… --devdir=…`. What `npm run build` has built serves every Node:
# it is put where prebuildify looks for it.
set -e
mkdir -p "$PWD/build"
rm -rf "$PWD/build/Release"
cp -R "$VISION_NATIVE_ROOT/build/Release" "$PWD/build/Release"
