#!/usr/bin/env bash
# Sets tocco up in .venv: one command on a bare machine with Python 3.11 to 3.14, pip and bash.
#
#   bash setup.sh                     processor build of torch
#   TOCCO_TORCH=auto bash setup.sh    the build for this machine's GPU (uv's --torch-backend; cu130, rocm, ... also work)
#   TOCCO_SOUNDFONTS=all bash setup.sh   every piano that `tocco data render` knows (160 MB more)
#   TOCCO_EXTRAS=transcribe bash setup.sh   without the parts that only training and tests need
#   TOCCO_EXTRAS= bash setup.sh       without transcription too: recordings then need their MIDI
#
# A second run only checks and returns within a second or two.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
venv=.venv
extras=${TOCCO_EXTRAS-transcribe,train,mert,data,scale,notebook,web}

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || {
    echo "setup.sh: $("$python" --version) is not supported (allowed: 3.11 to 3.14). Next: PYTHON=python3.11 bash setup.sh" >&2
    exit 1
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
[ -x "$venv/bin/uv" ] || "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv

stamp="$venv/.tocco-setup"
state=$(cat setup.sh pyproject.toml constraints.txt | sha256sum | cut -d' ' -f1)-$extras-${TOCCO_TORCH:-cpu}
if [ "$(cat "$stamp" 2>/dev/null)" != "$state" ]; then
    # uv does not read pip's configuration: hand a configured wheel folder over, since it may hold torch.
    wheels=${UV_FIND_LINKS:-${PIP_FIND_LINKS:-$("$venv/bin/python" -m pip config get global.find-links 2>/dev/null || true)}}
    source_of_torch=()
    for folder in $wheels; do source_of_torch+=(--find-links "$folder"); done
    if [ ${#source_of_torch[@]} -eq 0 ] || [ -n "${TOCCO_TORCH:-}" ]; then
        source_of_torch+=(--torch-backend "${TOCCO_TORCH:-cpu}")
    fi
    # Without extras little of what is installed is ever imported: its bytecode would only take room.
    groups=(); bytecode=()
    [ -z "$extras" ] || { groups=(--group dev); bytecode=(--compile-bytecode); }
    "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" "${bytecode[@]}" \
        "${source_of_torch[@]}" --constraints constraints.txt --editable ".${extras:+[$extras]}" "${groups[@]}"
    echo "$state" >"$stamp"
fi

# Rendering MIDI needs the FluidSynth library and soundfonts, which are system packages: two small pianos
# (MIT and GPL-2), or all that are known.
pianos="musescore timgm6mb"
[ "${TOCCO_SOUNDFONTS:-}" != all ] || pianos="$pianos fluid fluid-mono"
packages=$("$venv/bin/python" - $pianos <<'PYTHON'
import sys
from ctypes.util import find_library
from tocco.audio.rendering import missing_packages
print(*([] if find_library("fluidsynth") else ["fluidsynth"]), *missing_packages(sys.argv[1:]))
PYTHON
)
if [ -n "$packages" ]; then
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root="sudo -n"
    if command -v apt-get >/dev/null && { [ -z "$as_root" ] || sudo -n true 2>/dev/null; }; then
        { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends $packages; } >/dev/null ||
            echo "setup.sh: could not install $packages; only rendering MIDI needs them" >&2
    else
        echo "setup.sh: missing: $packages; only rendering MIDI (rating it without audio) needs them." >&2
        echo "          Debian, Ubuntu: apt-get install $packages    macOS: brew install fluid-synth" >&2
    fi
fi
