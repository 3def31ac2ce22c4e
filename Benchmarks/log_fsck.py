"""fsck of a large log: time and peak memory.

    python log_fsck.py EVIDENT [--entries 1000000] [--bytes 1500] [--folder FOLDER]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Tests" / "EndToEnd"))
from log_files import Key, LogFiles  # noqa: E402

# A process starts with the peak of whoever forked it, so a small one stands between.
MEASURE = """
import resource, subprocess, sys, time
begin = time.monotonic()
subprocess.run(sys.argv[1:], check=True)
seconds, usage = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
print(seconds, usage.ru_utime, usage.ru_maxrss, file=sys.stderr)
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("evident")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=1500)
    parser.add_argument("--folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        log = LogFiles(folder, Key("log.example/benchmark", 1))
        for start in range(0, options.entries, 65_536):
            count = min(65_536, options.entries - start)
            log.append([b"%0*d" % (options.bytes, start + i) for i in range(count)])
        log.publish()
        # The first run finds the files in the page cache: they were just written.
        for _ in range(3):
            done = subprocess.run(
                [sys.executable, "-c", MEASURE, options.evident, "log", "fsck", folder, "--key", log.key.vkey],
                capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            seconds, user, peak = map(float, done.stderr.split()[-3:])
            print(f"{seconds:.1f} s, {options.entries / seconds:,.0f} entries/s, user {user:.1f} s, "
                  f"peak {peak / 1024:.0f} MiB\n{done.stdout}", flush=True)


if __name__ == "__main__":
    main()
