#!/usr/bin/env bash
# Everything that a machine with a GPU has to say, in one command and under 9 minutes, without
# network: build, suite on the device, compute-sanitizer, benchmarks with their rivals, one file.
#
#   benchmarks/gpu.sh [OUT]             OUT/gpu.json, gpu-graphs.json and the logs (gpu-out)
#   benchmarks/gpu.sh --dry-run [OUT]   the same steps on the emulator; states no time
#
# Wants Python 3.12, CUDA 13, CMake >= 3.30, pybind11, scikit-build-core, numpy, pytest, hypothesis,
# torch and CuPy. What remanence itself needs and the machine lacks is taken from WHEELS (default:
# wheels), a folder filled elsewhere by
#   pip download -d wheels --only-binary=:all: --python-version 3.12 \
#     PyStemmer rich safetensors tokenizers wordllama ninja pytest-asyncio
# FAISS for the GPU joins the rivals where it can be imported.
set -uo pipefail
cd "$(dirname "$0")/.."

dry=0
if [ "${1:-}" = --dry-run ]; then dry=1; shift; fi
out=${1:-gpu-out}
python=${PYTHON:-python3}
wheels=${WHEELS:-wheels}
mkdir -p "$out"
steps=$out/steps.tsv
: >"$steps"
failed=0

# step NAME SECONDS COMMAND...: runs it with a limit, notes how it ended, never stops the rest.
step() {
  local name=$1 limit=$2 began=$SECONDS code=0
  shift 2
  printf '\n== %s\n' "$name"
  timeout "$limit" "$@" >"$out/$name.log" 2>&1 || code=$?
  tail -n 4 "$out/$name.log"
  if [ $code = 0 ]; then
    printf '%s\tpassed in %d s\n' "$name" $((SECONDS - began)) >>"$steps"
  else
    printf '%s\tFAILED with code %d after %d s\n' "$name" $code $((SECONDS - began)) >>"$steps"
    failed=1
  fi
}

build() {
  local lacking
  lacking=$("$python" - <<'PY'
import importlib.util
parts = {"Stemmer": "PyStemmer", "rich": "rich", "safetensors": "safetensors",
         "tokenizers": "tokenizers", "wordllama": "wordllama", "pytest_asyncio": "pytest-asyncio"}
print(*[pip for name, pip in parts.items() if importlib.util.find_spec(name) is None])
PY
  )
  if [ -n "$lacking" ]; then
    # shellcheck disable=SC2086  # one word for each package
    "$python" -m pip install -q --no-index --find-links "$wheels" --target "$site" $lacking ||
      { echo "missing: $lacking; see the head of this script"; return 1; }
  fi
  "$python" -m pip install -q --no-build-isolation --no-deps --upgrade --target "$site" \
    -Ccmake.define.REMANENCE_CUDA=ON \
    -Ccmake.define.CMAKE_CUDA_ARCHITECTURES="${ARCHITECTURES:-90-real}" .
}
export -f build
export python wheels

if [ $dry = 1 ]; then
  device=emulated
  suite=(tests/cuda/test_device.py tests/cuda/test_device_arrays.py tests/cuda/test_push.py
         tests/memory/test_device.py)
  patience=300
else
  device=cuda
  patience=110
  suite=(tests/cuda --ignore tests/cuda/test_emulator.py --ignore tests/cuda/test_budgets.py
         tests/test_search.py tests/test_recall.py tests/test_codes.py
         tests/test_engine.py tests/test_snapshot.py tests/test_simd.py tests/memory/test_device.py)
  site=$(mktemp -d)
  export site PYTHONPATH=$site
  step build 120 bash -c build
fi
export REMANENCE_REQUIRED_BACKENDS=$device

step doctor 20 "$python" -c \
  "from remanence.cli import main; code = main(['doctor']); from remanence import _core
assert '$device' in _core.available_backends(), _core.why_unavailable('$device')"
step suite $patience "$python" -m pytest -q -p no:cacheprovider "${suite[@]}"

if [ $dry = 1 ]; then
  printf 'sanitizer\tnot run: the emulator has its own, tests/cuda/test_emulator.py\n' >>"$steps"
elif ! compute-sanitizer "$python" -c "from remanence import _core; _core.Engine(0, 'cuda')" \
  >"$out/sanitizer.log" 2>&1; then
  printf 'sanitizer\tnot run: %s\n' "$(tail -n 1 "$out/sanitizer.log")" >>"$steps"
else
  for tool in memcheck racecheck initcheck synccheck; do
    step "sanitizer-$tool" 25 compute-sanitizer --tool $tool --error-exitcode 9 \
      "$python" -m pytest -q -p no:cacheprovider tests/cuda/test_device.py tests/cuda/test_batch.py \
      tests/cuda/test_push.py tests/cuda/test_walk.py \
      -k "any_dimension and (64 or 96) or each_question_alone or several_seeds"
  done
fi

printf '\n== benchmarks\n'
quick=()
if [ $dry = 1 ]; then quick=(--quick); fi
timeout 125 "$python" -m benchmarks gpu --seconds 95 --backend $device "${quick[@]}" \
  --steps "$steps" --json "$out/gpu.json" || failed=1
if [ $dry = 0 ]; then
  timeout 20 "$python" -m benchmarks cover --backend cuda --rounds 1 \
    --json "$out/cover.json" || failed=1
fi
timeout 45 "$python" -m benchmarks gpu-graphs --seconds 30 --backend $device "${quick[@]}" \
  --json "$out/gpu-graphs.json" || failed=1
exit $failed
