"""Damaged model files through the real binary: each ends in an answer or in one clear error.

    python Tests/EndToEnd/malformed.py [--count 2500] [--seed N] [--keep FOLDER]

Prints one line per kind of file, and exits with 1 when a process crashed, ran too long, wanted more
memory than it may have, or did not say in one line what is wrong. Files that did it are kept.
"""

import argparse
import json
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from malformed_seeds import CONTEXT, TEMPLATES, TOKENIZERS, model_files

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("EVIDENT_BINARY", ROOT / ".build" / "release" / "evident"))
ADDRESS_SPACE_BYTES_MAX = 1 << 30
SECONDS_MAX = 20
NUMBERS = [
    b"-1", b"0", b"9223372036854775807", b"-9223372036854775808", b"18446744073709551615", b"4294967296", b"1e308",
    b"1e-999999999", b"0.1", b"-0", b"99999999999999999999999999",
]
WORDS = [
    b"null", b"[]", b"{}", b'""', b"true", b"(", b"{3,2}", b"\\\\p{", b"%}", b"{{", b"}}", b"{%", b"'", b"\\u0000",
    b"\xff\xfe", b"\xed\xa0\x80", b"{% for x in range(999999999) %}", b"{{ 'x' * 999999999 }}", b"[[[[[[[[[[[[[[[[",
]
INTEGERS = [2**64 - 1, 2**63, 2**62, 2**32, 2**31, 2**31 - 1, 0, 100_000_000, 2**40]


def number(data: bytearray, near: int, rng: random.Random):
    """Another number in place of the next decimal one."""
    start = next((i for i in range(near, len(data)) if 0x30 <= data[i] <= 0x39), None)
    if start is None:
        return
    end = start
    while end < len(data) and 0x30 <= data[end] <= 0x39:
        end += 1
    data[start:end] = rng.choice(NUMBERS)


def mutated(seed: bytes, rng: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(rng.randint(1, 3)):
        if not data:
            break
        # Most of a weights file is data; half of the mutations go where structure is.
        at = rng.randrange(len(data))
        early = rng.randrange(min(len(data), 4096))
        match rng.randrange(11):
            case 0 | 1: data[at] ^= 1 << rng.randrange(8)
            case 2: data[early] ^= 1 << rng.randrange(8)
            case 3: data[early] = rng.randrange(256)
            case 4: del data[at:]
            case 5: del data[early:early + rng.randint(1, 40)]
            case 6: data[early:early] = bytes([rng.randrange(256)])
            case 7: data[at:at] = data[early:early + rng.randint(1, 64)]
            case 8:
                width, form = rng.choice([(8, "<Q"), (4, "<I")])
                place = rng.choice([early, early // 8 * 8])
                data[place:place + width] = struct.pack(form, rng.choice(INTEGERS) & (2 ** (8 * width) - 1))
            case 9: data[at:at] = rng.choice(WORDS)
            case _: number(data, early, rng)
    return bytes(data)


def changed(value, rng: random.Random):
    """A JSON document with one value replaced, removed or doubled."""
    if rng.randrange(6):
        if isinstance(value, dict) and value:
            key = rng.choice(list(value))
            copy = dict(value)
            if rng.randrange(12) == 0:
                del copy[key]
            else:
                copy[key] = changed(value[key], rng)
            return copy
        if isinstance(value, list) and value:
            i = rng.randrange(len(value))
            copy = list(value)
            match rng.randrange(8):
                case 0: del copy[i]
                case 1: copy.append(copy[i])
                case _: copy[i] = changed(copy[i], rng)
            return copy
    small = value if isinstance(value, int) else 0
    return rng.choice([
        -1, 0, 2**53 - 1, 2**31, 2**63 - 1, small + 1, small * 2, 0.5, 1e300, None, True, "x", "", "\u0000", [], {},
        [1, 2], "0" * 4096, {"type": "Sequence"}, [[[[]]]], "(" * 2000, "(a*)*b",
    ])


def mutant(seed: bytes, rng: random.Random, is_json: bool) -> bytes:
    if is_json and rng.randrange(2):
        return json.dumps(changed(json.loads(seed), rng), ensure_ascii=False).encode("utf-8", "surrogatepass")
    if not is_json and seed[8:9] == b"{" and rng.randrange(3) == 0:
        # A safetensors header that is JSON again, with its right length.
        length = struct.unpack("<Q", seed[:8])[0]
        header = json.dumps(changed(json.loads(seed[8:8 + length]), rng)).encode()
        return struct.pack("<Q", len(header)) + header + seed[8 + length:]
    return mutated(seed, rng)


@dataclass
class Kind:
    """Files of one kind, and the command that reads them."""

    name: str
    seeds: list[bytes]
    #: Puts the mutant in a folder and gives the arguments of the commands that read it, in order.
    place: callable
    is_json: bool = False


@dataclass
class Outcome:
    kind: str
    files: int = 0
    refused: int = 0
    accepted: int = 0
    slowest_seconds: float = 0
    peak_kibibytes: int = 0
    problems: list[str] = field(default_factory=list)


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES_MAX,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(folder: Path, arguments: list[str], outcome: Outcome) -> tuple[int, str]:
    """The exit status, and what is wrong with how it ended; an empty text when nothing is."""
    environment = {"HOME": str(folder.parent / "home"), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    with open(folder.parent / "stderr", "wb+") as errors:
        started = time.monotonic()
        process = subprocess.Popen(
            [str(BINARY), *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL, preexec_fn=limits,
            stdout=subprocess.DEVNULL, stderr=errors)
        # wait4 has no time limit of its own.
        alarm = signal.signal(signal.SIGALRM, lambda *_: process.kill())
        signal.alarm(SECONDS_MAX)
        _, status, usage = os.wait4(process.pid, 0)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, alarm)
        process.returncode = os.waitstatus_to_exitcode(status)
        outcome.slowest_seconds = max(outcome.slowest_seconds, time.monotonic() - started)
        outcome.peak_kibibytes = max(outcome.peak_kibibytes, usage.ru_maxrss)
        errors.seek(0)
        raw = errors.read()
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return process.returncode, f"stderr is not UTF-8: {raw[:200]!r}"
    return process.returncode, problem(process.returncode, text)


def problem(status: int, text: str) -> str:
    if status == -signal.SIGKILL:
        return f"it ran longer than {SECONDS_MAX} s"
    if status < 0:
        return f"signal {-status}: {text[-400:]}"
    if status == 0:
        return ""
    lines = [line for line in text.splitlines() if line and not line.startswith(("hint:", "warning:"))]
    if status not in (1, 2, 64) or "Fatal" in text:
        return f"exit {status}: {text[-400:]}"
    if len(lines) != 1 or not lines[0].startswith("Error: ") or len(text) > 4096:
        return f"not one clear error line: {text[:400]!r}"
    return ""


def folder_file(name: str):
    def place(folder: Path, data: bytes) -> list[list[str]]:
        files = model_files(sharded=name == "model.safetensors.index.json")
        files[name] = data
        for file, content in files.items():
            (folder / file).write_bytes(content)
        commands = [["import", ".", "--pack", "../out.pack", "--threads", "2"]]
        if name == "chat_template.jinja":
            commands.append(["run", "../out.pack", "Hi", "--no-replay", "--max-tokens", "1", "--threads", "2"])
        return commands

    return place


def single_file(name: str, *arguments: str):
    def place(folder: Path, data: bytes) -> list[list[str]]:
        (folder / name).write_bytes(data)
        (folder / "context.json").write_bytes(CONTEXT) if name != "context.json" else None
        (folder / "seed.jinja").write_bytes(TEMPLATES[-1])
        return [list(arguments)]

    return place


def signature_file(key: bytes):
    def place(folder: Path, data: bytes) -> list[list[str]]:
        for file, content in model_files().items():
            (folder / file).write_bytes(content)
        (folder / "model.sig").write_bytes(data)
        (folder.parent / "signer.pem").write_bytes(key)
        return [["import", ".", "--signer", "../signer.pem", "--require-signature", "--pack", "../out.pack"]]

    return place


def help_of(*arguments: str) -> str:
    return subprocess.run([str(BINARY), *arguments, "--help"], capture_output=True, text=True).stdout


def kinds() -> list[Kind]:
    """What the binary at hand can read."""
    tiny, sharded = model_files(), model_files(sharded=True)
    commands = help_of()
    found = [
        Kind("model.safetensors", [tiny["model.safetensors"]], folder_file("model.safetensors")),
        Kind("model.safetensors.index.json", [sharded["model.safetensors.index.json"]],
             folder_file("model.safetensors.index.json"), is_json=True),
        Kind("config.json", [tiny["config.json"]], folder_file("config.json"), is_json=True),
        Kind("tokenizer.json", TOKENIZERS, folder_file("tokenizer.json"), is_json=True),
        Kind("tokenizer_config.json", [tiny["tokenizer_config.json"]], folder_file("tokenizer_config.json"), is_json=True),
        Kind("chat_template.jinja", TEMPLATES, folder_file("chat_template.jinja")),
    ]
    found.append(Kind("pack", [pack_of(tiny)], single_file("m.pack", "show", "./m.pack")))
    signature, key = signed(tiny)
    found.append(Kind("model.sig", [signature], signature_file(key), is_json=True))
    gguf = sorted((ROOT / "Tests" / "ModelFilesTests" / "Fixtures" / "gguf").glob("*.gguf"))
    if gguf and "GGUF" in help_of("import"):
        # A whole model: neither a part of one nor a collection of formats.
        seeds = [path.read_bytes() for path in gguf if path.name == "tiny-llama.gguf"]
        found.append(Kind("gguf", seeds, single_file(
            "m.gguf", "import", "m.gguf", "--pack", "../out.pack", "--threads", "2")))
        if "\n  tokenize " in commands:
            found.append(Kind("gguf vocabulary", seeds, single_file("m.gguf", "tokenize", "m.gguf", "Hello, w\u00f6rld 12!")))
    if "\n  tokenize " in commands:
        found.append(Kind("tokenize tokenizer.json", TOKENIZERS, single_file(
            "tokenizer.json", "tokenize", "tokenizer.json", "Hello, w\u00f6rld 12!"), is_json=True))
    if "\n  render-template " in commands:
        found.append(Kind("render-template", TEMPLATES, single_file(
            "t.jinja", "render-template", "t.jinja", "--context", "context.json")))
        found.append(Kind("render-template context", [CONTEXT], single_file(
            "context.json", "render-template", "seed.jinja", "--context", "context.json"), is_json=True))
    return found


def write(files: dict[str, bytes], folder: Path) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def pack_of(files: dict[str, bytes]) -> bytes:
    with tempfile.TemporaryDirectory() as temporary:
        folder, path = write(files, Path(temporary) / "m"), Path(temporary) / "m.pack"
        subprocess.run([str(BINARY), "import", str(folder), "--pack", str(path)], check=True, capture_output=True)
        return path.read_bytes()


def signed(files: dict[str, bytes]) -> tuple[bytes, bytes]:
    """A signature of the files, and the public key it was made with."""
    with tempfile.TemporaryDirectory() as temporary:
        environment = os.environ | {"HOME": temporary, "XDG_STATE_HOME": temporary}
        folder = write(files, Path(temporary) / "m")
        subprocess.run(
            [str(BINARY), "publish", "--sign-only", str(folder)], check=True, capture_output=True, env=environment)
        key = subprocess.run(
            [str(BINARY), "keys", "--model-signing"], check=True, capture_output=True, env=environment).stdout
        return (folder / "model.sig").read_bytes(), key


def examine(kind: Kind, count: int, seed: int, keep: Path | None) -> Outcome:
    rng = random.Random(f"{seed} {kind.name}")
    outcome = Outcome(kind.name)
    with tempfile.TemporaryDirectory() as temporary:
        for i in range(count):
            folder = Path(temporary) / "case"
            folder.mkdir()
            data = mutant(rng.choice(kind.seeds), rng, kind.is_json)
            status, what = 0, ""
            for arguments in kind.place(folder, data):
                status, what = run(folder, arguments, outcome)
                if status != 0:
                    break
            outcome.files += 1
            outcome.accepted += status == 0
            outcome.refused += status > 0
            if what:
                outcome.problems.append(f"{kind.name} {i} (seed {seed}): {what}")
                if keep:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{kind.name.replace(' ', '-')}-{i}").write_bytes(data)
            for path in folder.iterdir():
                path.unlink()
            folder.rmdir()
    return outcome


def corpus(count: int, seed: int, keep: Path | None = None) -> list[Outcome]:
    chosen = kinds()
    return [examine(kind, -(-count // len(chosen)), seed, keep) for kind in chosen]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}; address space at most {ADDRESS_SPACE_BYTES_MAX >> 20} MiB, {SECONDS_MAX} s")
    print(f"{'kind':30} {'files':>6} {'refused':>8} {'accepted':>9} {'slowest ms':>11} {'peak MiB':>9} {'problems':>9}")
    outcomes = corpus(arguments.count, arguments.seed, arguments.keep)
    for o in outcomes:
        print(f"{o.kind:30} {o.files:6} {o.refused:8} {o.accepted:9} {o.slowest_seconds * 1000:11.0f} "
              f"{o.peak_kibibytes / 1024:9.1f} {len(o.problems):9}")
    print(f"{'all':30} {sum(o.files for o in outcomes):6} {sum(o.refused for o in outcomes):8} "
          f"{sum(o.accepted for o in outcomes):9} {max(o.slowest_seconds for o in outcomes) * 1000:11.0f} "
          f"{max(o.peak_kibibytes for o in outcomes) / 1024:9.1f} {sum(len(o.problems) for o in outcomes):9}")
    for o in outcomes:
        for text in o.problems:
            print(text)
    sys.exit(any(o.problems for o in outcomes))


if __name__ == "__main__":
    main()
