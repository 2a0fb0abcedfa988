#!/usr/bin/env bash
# Installs the newest DeepSpeed, torch and transformers into a Python environment of its own, makes
# small checkpoints with them, and compares what Reweave makes of each with what the training
# processes held in memory. mvn -P newest verify runs it when the jar is there.
#
# usage: newest.sh FOLDER     what is made goes there: venv/, cases/, logs
#   INTEROP_PYTHON            the Python that makes the environment; python3 by default
#   INTEROP_VENV              an environment that has all packages already: nothing is installed
#   INTEROP_DEEPSPEED, INTEROP_TORCH, INTEROP_TRANSFORMERS
#                             versions, such as 0.19.8; the newest by default
#   INTEROP_ONLY              names of cases, with * and ? and spaces between; all by default
#   INTEROP_MORE              a folder of further cases, made elsewhere, to convert too
# Exit codes: 0 all right; 1 differences, or checkpoints that could not be made; 2 not installed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ $# -eq 1 ]] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
work=$(cd "$1" && pwd)
python=${INTEROP_PYTHON:-python3}
venv=${INTEROP_VENV:-}
# DeepSpeed builds nothing, at installation as at run time.
export DS_BUILD_OPS=0 DS_ACCELERATOR=cpu PIP_DISABLE_PIP_VERSION_CHECK=1

die() {
  echo "newest: $1" >&2
  exit 2
}

# A package, pinned if a version is given.
wanted() {
  echo "$1${2:+==$2}"
}

install() {
  if ! "$venv/bin/python" -m pip install --upgrade --timeout 60 --retries 2 "$@" >>"$work/pip.log" 2>&1; then
    tail -n 15 "$work/pip.log" >&2
    die "could not install $* into $venv: pip's last words are above, all of them in $work/pip.log. This needs a package index that pip reaches (pip config list shows which) and about 6 GB of disk; or name an environment that has the packages: -Dinterop.venv=DIR"
  fi
}

if [[ -z $venv ]]; then
  venv=$work/venv
  command -v "$python" >/dev/null || die "there is no $python: name a Python of 3.10 or newer, -Dpython=FILE"
  if [[ ! -x $venv/bin/python ]]; then
    "$python" -m venv "$venv" || die "$python cannot make a virtual environment in $venv: install its venv module, or name another, -Dpython=FILE"
  fi
  : >"$work/pip.log"
  echo "installing torch, transformers and DeepSpeed into $venv (4 GB the first time; pip's words are in $work/pip.log)"
  install "$(wanted torch "${INTEROP_TORCH:-}")" "$(wanted transformers "${INTEROP_TRANSFORMERS:-}")" \
    safetensors numpy setuptools wheel
  # Comes as source, and looks at the torch that is there.
  install --no-build-isolation "$(wanted deepspeed "${INTEROP_DEEPSPEED:-}")"
elif [[ ! -x $venv/bin/python ]]; then
  die "there is no Python environment in $venv: it has no bin/python; leave -Dinterop.venv out to have one made"
fi
"$venv/bin/python" -c 'import deepspeed, safetensors, torch, transformers' >"$work/import.log" 2>&1 ||
  { tail -n 5 "$work/import.log" >&2; die "$venv lacks a package that is needed, or it does not load: see above"; }

read -r -a only <<<"${INTEROP_ONLY:-}"
rm -rf "$work/cases"
made=0
"$venv/bin/python" "$here/make_checkpoints.py" "$work/cases" "${only[@]+"${only[@]}"}" || made=$?
[[ -d $work/cases ]] || exit 1
folders=("$work/cases")
[[ -n ${INTEROP_MORE:-} ]] && folders+=("$INTEROP_MORE")
chosen=()
for pattern in "${only[@]+"${only[@]}"}"; do
  chosen+=(--only "$pattern")
done
"$venv/bin/python" "$here/check_conversions.py" "${folders[@]}" "${chosen[@]+"${chosen[@]}"}" || made=1
echo "these were conversions alone: the tests of Reweave itself are mvn verify"
exit "$made"
