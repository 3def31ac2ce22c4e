#!/usr/bin/env bash
# Compares Evident with llama.cpp on models with random weights, interleaved on this machine, and prints
# medians with minimum and maximum. Usage: Benchmarks/run.sh [--shapes S...] [--rounds N] [--threads N]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh gcc g++ cmake ninja-build
scripts/build.sh --product evident >&2
export CMAKE_ARGS="-DGGML_NATIVE=ON" CC=gcc CXX=g++
python=$(scripts/python.sh llama Benchmarks/requirements.txt)
exec "$python" Benchmarks/compare.py --evident .build/release/evident "$@"
