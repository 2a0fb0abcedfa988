#!/usr/bin/env bash
# Installs transformers, PEFT, diffusers and DeepSpeed into a Python environment of its own, trains tiny
# models with them, converts what they save, and loads each result as these libraries load a model; or,
# with other scripts of this folder, goes on with the training.
# mvn -P trainers verify and mvn -P onward verify run it when the jar is there.
#
# usage: trainers.sh FOLDER [SCRIPT]...   what is made goes there: venv/, cases/, logs
#   TRAINERS_PYTHON           the Python that makes the environment; python3 by default
#   TRAINERS_VENV             an environment that has all packages already: nothing is installed
#   TRAINERS_ONLY             names of cases, with * and ? and spaces between; all by default
# Exit codes: 0 all right; 1 a result that does not load as it should; 2 not installed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ $# -ge 1 ]] || { echo "usage: $0 FOLDER [SCRIPT]..." >&2; exit 2; }
mkdir -p "$1"
work=$(cd "$1" && pwd)
python=${TRAINERS_PYTHON:-python3}
venv=${TRAINERS_VENV:-}
# These were tried together; DeepSpeed comes as source, and looks at the torch that is there.
packages=(torch==2.15.0 transformers==5.24.0 peft==0.21.2 diffusers==0.42.1 accelerate==1.15.0
  safetensors==0.8.0 numpy setuptools wheel)
deepspeed=deepspeed==0.19.8
export DS_BUILD_OPS=0 DS_ACCELERATOR=cpu PIP_DISABLE_PIP_VERSION_CHECK=1 HF_HUB_OFFLINE=1

die() {
  echo "trainers: $1" >&2
  exit 2
}

if [[ -z $venv ]]; then
  venv=$work/venv
  command -v "$python" >/dev/null || die "there is no $python: name a Python of 3.10 or newer, -Dpython=FILE"
  [[ -x $venv/bin/python ]] || "$python" -m venv "$venv" ||
    die "$python cannot make a virtual environment in $venv: install its venv module, or name another, -Dpython=FILE"
  echo "installing ${packages[*]} $deepspeed into $venv (4 GB the first time; pip's words are in $work/pip.log)"
  {
    "$venv/bin/python" -m pip install --timeout 60 --retries 2 "${packages[@]}" &&
      "$venv/bin/python" -m pip install --timeout 60 --retries 2 --no-build-isolation "$deepspeed"
  } >"$work/pip.log" 2>&1 || {
    tail -n 15 "$work/pip.log" >&2
    die "could not install all into $venv: pip's last words are above. This needs a package index that pip reaches and about 6 GB of disk; or name an environment that has the packages: -Dtrainers.venv=DIR"
  }
elif [[ ! -x $venv/bin/python ]]; then
  die "there is no Python environment in $venv: it has no bin/python; leave -Dtrainers.venv out to have one made"
fi
"$venv/bin/python" -c 'import deepspeed, diffusers, peft, transformers' >"$work/import.log" 2>&1 ||
  { tail -n 5 "$work/import.log" >&2; die "$venv lacks a package that is needed, or it does not load: see above"; }

read -r -a only <<<"${TRAINERS_ONLY:-}"
chosen=()
for pattern in "${only[@]+"${only[@]}"}"; do
  chosen+=(--only "$pattern")
done
shift
[[ $# -gt 0 ]] || set -- load_pretrained.py
failed=0
for script in "$@"; do
  "$venv/bin/python" "$here/$script" "$work/cases" "${chosen[@]+"${chosen[@]}"}" || failed=1
done
exit "$failed"
