"""Renders every chat template of a folder with Jinja2 in Hugging Face's configuration, on conversations with
everything that templates look at, and writes vectors for Tests/TokenizersTests/ChatTemplateVectorTests.swift.

    VENV/bin/python Reference/tokenizers/template_vectors.py --templates FOLDER --out VECTORS
    EVIDENT_TEMPLATE_VECTORS=VECTORS swift test -c release --filter ChatTemplateVectorTests
"""
import argparse
import copy
import json
import pathlib
import shutil

from template_differential import NOW, environment

TOOL = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather for a city; \"now\" or <later> & more", "parameters": {
        "type": "object", "properties": {
            "city": {"type": "string", "description": "City name, e.g. Zürich"},
            "unit": {"type": "string", "enum": ["c", "f"], "default": "c"},
            "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 7.5},
            "where": {"type": "object", "properties": {"lat": {"type": "number"}, "lon": {"type": "number"}}, "required": ["lat"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
        "required": ["city"]},
    "return": {"type": "string"}}}
OTHER = {"type": "function", "function": {"name": "stop", "description": "", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "call0001a", "type": "function", "function": {
    "name": "get_weather", "arguments": {"city": "Zürich", "days": 2, "f": 0.5, "ok": True, "none": None, "l": [1, "a"], "o": {"k": "v"}}}}
DOCUMENTS = [{"title": "Bergen", "text": "It rains.\nA lot.", "doc_id": 1, "source": "x"}, {"title": "Oslo", "text": "It snows – \"often\"."}]
user = lambda text: {"role": "user", "content": text}
system = lambda text: {"role": "system", "content": text}
assistant = lambda text, **more: {"role": "assistant", "content": text, **more}
tool = lambda text, **more: {"role": "tool", "content": text, "tool_call_id": "call0001a", "name": "get_weather", **more}
THOUGHT = "<think>\nHm, let me think.\n</think>\n\nFour."
PARTS = [{"type": "text", "text": " Look: "}, {"type": "image"}, {"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "what?"}]
TURN = [user("Weather in Zürich?"), assistant("", tool_calls=[CALL]), tool("{\"temp\": 3}")]
CONVERSATIONS = {
    "single": [user("Hello, who are you?")],
    "system": [system("You are terse."), user("Hi")],
    "multi": [system("You are kind.\n"), user("What is 2+2?"), assistant("4"), user("And  times three?\n")],
    "unicode": [user("Grüße – 你好 🦙 <|im_end|> \"quoted\" 'x' & <b>\u00a0\u2028\\n")],
    "thought": [user("2+2?"), assistant(THOUGHT), user("Again?"), assistant(THOUGHT)],
    "reasoning": [user("2+2?"), assistant("Four.", reasoning_content="Hm.\nSo."), user("?"), assistant("Yes.", reasoning_content="Ok.", thinking="T", reasoning="R")],
    "parts": [system("S"), user(PARTS)],
    "text_parts": [{"role": "system", "content": [{"type": "text", "text": "S"}]}, user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])],
    "developer": [{"role": "developer", "content": "Dev."}, user("Hi")],
    "assistant_first": [assistant("Hello!"), user("Hi")],
    "two_users": [user("a"), user("b")],
    "late_system": [user("a"), assistant("b"), system("c"), user("d")],
    "prefill": [user("Count"), assistant("1, 2,")],
    "turn": TURN,
    "two_calls": [user("x"), assistant(None, tool_calls=[CALL, CALL]), tool("1"), tool({"temp": 3, "l": [1.5]}), assistant("Done."), user("Thanks")],
    "call_text": [system("S"), user("x"), assistant("Calling.", tool_calls=[CALL], reasoning_content="Why?"), tool("ok"), assistant("So."), user("more")],
    "string_arguments": [user("x"), assistant("", tool_calls=[{"id": "call0001a", "type": "function", "function": {"name": "stop", "arguments": "{\"a\": 1}"}}]), tool("ok")],
    "bare_call": [user("x"), assistant("", tool_calls=[{"name": "stop", "arguments": {"a": 1}}]), tool("ok")],
    "tool_parts": [user("x"), assistant("", tool_calls=[CALL]), tool([{"type": "text", "text": "3"}])],
    "no_content": [user("x"), {"role": "assistant", "tool_calls": [CALL]}, tool("3")],
    "strange_role": [{"role": "narrator", "content": "Once."}, user("x")],
    "empty": [],
    "empty_text": [system(""), user(""), assistant(""), user(" ")],
}
SETTINGS = {
    "": {"add_generation_prompt": True},
    "+closed": {"add_generation_prompt": False},
    "+tools": {"add_generation_prompt": True, "tools": [TOOL, OTHER]},
    "+thinking": {"add_generation_prompt": True, "enable_thinking": True, "thinking": True, "reasoning_effort": "high", "tools": [TOOL]},
    "+quiet": {"add_generation_prompt": True, "enable_thinking": False, "thinking": False, "reasoning_effort": "low", "xml_tools": [TOOL],
               "clear_thinking": False, "tool_choice": "auto", "date_string": "26 Jul 2024", "keep_past_thinking": True},
    "+documents": {"add_generation_prompt": True, "documents": DOCUMENTS, "tools": None, "controls": {"length": "short"},
                   "builtin_tools": ["wolfram_alpha"], "custom_tools": [TOOL], "system_message": "S", "grounding": "enabled",
                   "citations": True, "safety_mode": "NONE"},
}
NAMES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


def cases():
    for name, messages in CONVERSATIONS.items():
        for suffix, settings in SETTINGS.items():
            yield name + suffix, {**NAMES, **settings, "messages": messages}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--templates", required=True)
    arguments.add_argument("--out", required=True)
    a = arguments.parse_args()
    out = pathlib.Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    e = environment()
    rendered = refused = 0
    for path in sorted(pathlib.Path(a.templates).glob("*.jinja")):
        found = {}
        for name, context in cases():
            try:
                text = e.from_string(path.read_text()).render(**copy.deepcopy(context))
                if " at 0x" in text:
                    continue
                found[name] = {"context": context, "rendered": text}
                rendered += 1
            except Exception as error:
                found[name] = {"context": context, "error": f"{type(error).__name__}: {error}"}
                refused += 1
        shutil.copy(path, out / path.name)
        vector = {"template": path.name, "now": NOW.isoformat(), "cases": found}
        (out / (path.stem + ".json")).write_text(json.dumps(vector, ensure_ascii=False))
    print(rendered, "rendered,", refused, "refused by the template")


if __name__ == "__main__":
    main()
