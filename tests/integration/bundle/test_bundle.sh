#!/usr/bin/env bash
# test_bundle.sh SOURCE BUILD TORCH: bundles BUILD, unpacks it in an empty folder, and trains there on packed
# data with nothing in the environment that this machine's build has set.
set -euo pipefail
source=$1 build=$2 torch=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

cd "$work"
BCX_BUILD=$build "$source/tools/bundle" "$work/bundle.tar.xz"
size=$(stat -c %s bundle.tar.xz)
[ "$size" -le 25000000 ] || fail "the bundle has $size bytes, more than 25 MB"
tar xJf bundle.tar.xz

"$build/bin/bcx" data demo demo --images 48 --patients 6
cat >packed.toml <<'TOML'
[data]
root = "demo"
image_size = 32
[model]
backbone = "resnet18"
weights = "none"
[train]
epochs = 1
precision = "fp32"
TOML
"$build/bin/bcx" data pack packed.toml demo.bcxdata
rm -rf demo

clean() { env -i HOME="$work/home" PATH=/usr/bin:/bin "$@"; }
mkdir home
[ "$(clean bcx-bundle/bcx plugins list --kind backbone | grep -c densenet201)" = 1 ] || fail "no backbones"
if ldd bcx-bundle/lib/libbcx_data.so | grep -q "$build"; then fail "it still uses the build tree"; fi
for command in "run packed.toml" "predict @last demo.bcxdata"; do
  code=0
  # shellcheck disable=SC2086 # words of a command
  clean BCX_TORCH="$work" bcx-bundle/bcx $command 2>message || code=$?
  [ $code = 5 ] || fail "without LibTorch the exit code of $command is $code"
  grep -q "no LibTorch here; install torch 2.11" message || fail "without LibTorch $command said: $(cat message)"
done
clean BCX_TORCH="$torch" bcx-bundle/bcx run packed.toml --set data.source=packed --set data.root=demo.bcxdata
clean bcx-bundle/bcx runs | grep -q finished || fail "the run is not in the tracker"
echo "ok: $size bytes"
