#!/usr/bin/env bash
# Everything that a machine with a GPU has to say, in one command and under 9 minutes, without
# network: build, suite on the device, compute-sanitizer, benchmarks with their rivals, one file.
#
#   benchmarks/gpu.sh [OUT]             OUT/gpu.json and the logs of the steps (gpu-out)
#                                       SITE=FOLDER names where the package is installed
#   benchmarks/gpu.sh --dry-run [OUT]   the same steps on the emulator; states no time
#
# Wants Python 3.12, CUDA 13, CMake >= 3.30, pybind11, scikit-build-core, numpy, pytest, hypothesis,
# torch and CuPy. PyStemmer, if it is not there, is taken from WHEELS (default: wheels), a folder
# that can be filled elsewhere by
#   pip download -d wheels --only-binary=:all: --no-deps --python-version 3.12 PyStemmer
# and else words are left unstemmed, which all backends see alike. FAISS for the GPU joins the rivals
# where it can be imported. The limits of all steps add up to less than 9 minutes.
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
  if ! "$python" -c "import Stemmer" 2>/dev/null &&
    ! "$python" -m pip install -q --no-index --no-deps --find-links "$wheels" --target "$site" \
      PyStemmer 2>/dev/null; then
    printf 'PyStemmer\tnot there: words are not stemmed in this run\n' >>"$steps"
    cat >"$site/Stemmer.py" <<'PY'
class Stemmer:
    def __init__(self, language, size=0):
        self.stemWord = str
PY
  fi
  "$python" -m pip install -q --no-build-isolation --no-deps --upgrade --target "$site" \
    -Ccmake.define.REMANENCE_CUDA="${CUDA:-ON}" \
    -Ccmake.define.REMANENCE_EMULATED="${EMULATED:-OFF}" \
    -Ccmake.define.CMAKE_CUDA_ARCHITECTURES="${ARCHITECTURES:-90-real}" .
}
export -f build
export python wheels steps CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}"
# Plug-ins of pytest that the project's settings ask for may be missing.
test_options=(-q -rs -p no:cacheprovider -o addopts=--import-mode=importlib
  -W ignore::pytest.PytestConfigWarning)

if [ $dry = 1 ]; then
  device=emulated
  suite=(tests/cuda/test_device.py tests/cuda/test_device_arrays.py tests/cuda/test_batch_words.py
         tests/cuda/test_push.py tests/memory/test_device.py)
  patience=300
else
  device=cuda
  patience=100
  suite=(tests/cuda --ignore tests/cuda/test_emulator.py --ignore tests/cuda/test_budgets.py
         tests/test_search.py tests/test_recall.py tests/test_codes.py
         tests/test_engine.py tests/test_snapshot.py tests/test_simd.py tests/memory/test_device.py)
  site=${SITE:-$(mktemp -d)}
  mkdir -p "$site"
  export site PYTHONPATH=$site
  step build 110 bash -c build
fi
export REMANENCE_REQUIRED_BACKENDS=$device

step doctor 15 "$python" -c \
  "from remanence.cli import main; code = main(['doctor']); from remanence import _core
assert '$device' in _core.available_backends(), _core.why_unavailable('$device')"
step suite $patience "$python" -m pytest "${test_options[@]}" "${suite[@]}"

if [ $dry = 1 ]; then
  printf 'sanitizer\tnot run: the emulator has its own, tests/cuda/test_emulator.py\n' >>"$steps"
elif ! timeout 20 compute-sanitizer "$python" -c "from remanence import _core; _core.Engine(0, 'cuda')" \
  >"$out/sanitizer.log" 2>&1; then
  printf 'sanitizer\tnot run: %s\n' "$(tail -n 1 "$out/sanitizer.log")" >>"$steps"
else
  for tool in memcheck racecheck initcheck synccheck; do
    step "sanitizer-$tool" 23 compute-sanitizer --tool $tool --error-exitcode 9 \
      "$python" -m pytest "${test_options[@]}" tests/cuda/test_device.py tests/cuda/test_batch.py \
      tests/cuda/test_batch_words.py tests/cuda/test_push.py tests/cuda/test_walk.py -k \
      "any_dimension and (64 or 96) or each_question_alone or several_seeds or asked_for_together"
  done
fi

printf '\n== benchmarks\n'
quick=()
if [ $dry = 1 ]; then quick=(--quick); fi
parts=$(mktemp -d)
# An interrupted benchmark still writes what it has measured.
timeout -s INT -k 15 105 "$python" -m benchmarks gpu --seconds 85 --backend $device \
  "${quick[@]}" --steps "$steps" --json "$parts/gpu.json" || failed=1
if [ $dry = 0 ]; then
  timeout -s INT -k 5 20 "$python" -m benchmarks cover --backend cuda --rounds 1 \
    --json "$parts/cover.json" || failed=1
fi
timeout -s INT -k 15 40 "$python" -m benchmarks gpu-graphs --seconds 30 --backend $device \
  "${quick[@]}" --json "$parts/gpu-graphs.json" || failed=1
"$python" - "$parts" "$out/gpu.json" <<'PY' || failed=1
import json, pathlib, sys
parts = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
whole = {part.stem: json.loads(part.read_text()) for part in parts}
pathlib.Path(sys.argv[2]).write_text(json.dumps(whole, indent=1) + "\n")
print(sys.argv[2], "holds", ", ".join(whole) or "nothing")
PY
exit $failed
