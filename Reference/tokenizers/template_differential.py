"""Renders template snippets with Jinja2 in Hugging Face's configuration, for
Tests/TokenizersTests/ChatTemplateDifferentialTests.swift.

    python3 -m venv VENV && VENV/bin/pip install jinja2==3.1.6
    VENV/bin/python Reference/tokenizers/template_differential.py --out cases.jsonl [--random 20000] [--seed 1]
    EVIDENT_TEMPLATE_CASES=cases.jsonl swift test -c release --filter ChatTemplateDifferentialTests
"""
import argparse
import copy
import datetime
import json
import random
import re
import warnings

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 11, 20, 12, 0, 0)
CONTEXT = {
    "messages": [
        {"role": "system", "content": "You are kind."},
        {"role": "user", "content": "  What's 2+2?\n", "name": "Zoë"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "abc123def", "type": "function", "function": {"name": "add", "arguments": {"x": 2, "y": 2.5, "z": None}}}]},
        {"role": "tool", "content": "4", "tool_call_id": "abc123def"},
        {"role": "assistant", "content": "<think>hm\nhm</think>\n\nFour – \"4\" 🦙"},
        {"role": "user", "content": [{"type": "text", "text": "And"}, {"type": "image"}]},
    ],
    "tools": [{"type": "function", "function": {"name": "add", "description": "Adds <b>&'two'</b>", "parameters": {
        "type": "object", "properties": {"x": {"type": "number"}, "y": {"type": ["integer", "null"]}},
        "required": ["x"], "items": "shadowed"}}}],
    "empty": [], "nothing": None, "yes": True, "no": False, "n": 7, "neg": -3, "f": 2.50, "g": 1e-7, "h": 0.1, "big": 1e22,
    "s": "Hello, World", "u": "ÄöÜß ǆ straße", "lines": "a\n\n b\r\nc", "bos_token": "<s>", "eos_token": "</s>",
    "words": ["b", "A", "c", "a", "B"], "nums": [3, 1, 2, 3], "nested": [[1, 2], [3, [4, None]]], "d": {"b": 1, "a": [True], "é": "x'y"},
    "quotes": "it's \"q\" \\ \t\u00a0\u200b\x7f", "mixed": [1, "1", True, None, 2.5], "csv": "a, b,c ,,d",
}
HAND = r'''
{{ s }}|{{ u }}|{{ n }}|{{ f }}|{{ g }}|{{ h }}|{{ big }}|{{ nothing }}|{{ yes }}|{{ missing }}
{{ nested }}|{{ d }}|{{ mixed }}|{{ quotes }}|{{ [quotes] }}|{{ (1,) }}|{{ (1, 2) }}|{{ () }}|{{ [] }}|{{ {} }}
{{ tools | tojson }}|{{ tools | tojson(indent=2) }}|{{ d | tojson(ensure_ascii=True) }}|{{ d|tojson(separators=(',', ':')) }}|{{ d|tojson(sort_keys=True) }}
{{ empty | tojson(indent=4) }}{{ {} | tojson(indent=4) }}{{ nothing | tojson }}{{ quotes | tojson }}{{ f | tojson }}{{ mixed | tojson }}
{{ missing | tojson }}
{{ s.upper() }}{{ s.lower() }}{{ u.upper() }}{{ u.lower() }}{{ s.title() }}{{ "they're bill's" .title() }}{{ "hELLO wORLD".capitalize() }}
{{ u | upper }}|{{ u | lower }}|{{ "foo bar-baz (qux) it's" | title }}|{{ "hELLO wORLD" | capitalize }}
{{ s[0] }}{{ s[-1] }}{{ s[1:4] }}{{ s[::-1] }}{{ s[::2] }}{{ s[-3:] }}{{ s[:-3] }}{{ s[10:2:-2] }}{{ s[100] }}{{ s[5:100] }}
{{ nums[::-1] }}{{ nums[1:] }}{{ nums[:2] }}{{ nums[-2:] }}{{ nums[5:] }}{{ nums[::-2] }}{{ nums[0] }}{{ nums[-1] }}{{ nums[9] is defined }}
{{ messages[0].role }}{{ messages[0]['role'] }}{{ messages[-1].content[0].text }}{{ messages[0].nope }}{{ messages[0].nope is defined }}
{{ messages[0].nope.deeper }}
{{ missing.x }}
{{ nothing.x }}
{{ nothing.x.y }}
{{ tools[0].function.parameters.items }}
{{ tools[0].function.parameters['items'] }}
{{ d.get('b') }}{{ d.get('zz') }}{{ d.get('zz', 5) }}{{ d.keys() | list }}{{ d.values() | list }}{{ d.items() | list }}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for k, v in d | items %}{{ k }}{% endfor %}{% for k, v in d|dictsort %}{{ k }}{% endfor %}
{% for k, v in d|dictsort(reverse=true) %}{{ k }}{% endfor %}{% for k, v in {'b': 1, 'A': 2, 'c': 0}|dictsort(by='value') %}{{ k }}{% endfor %}{{ {'b': 1, 'A': 2}|dictsort(true) }}
{{ s.split() }}{{ s.split(', ') }}{{ s.split('o', 1) }}{{ csv.split(',') }}{{ "  a  b ".split() }}{{ "a  b c".split(none, 1) }}{{ "".split(',') }}{{ "".split() }}
{{ s.rsplit('o', 1) }}{{ "a,b,c".rsplit(',') }}{{ "a,b,c".rsplit(',', 1) }}{{ lines.splitlines() }}{{ lines.splitlines(true) }}
{{ s.startswith('Hell') }}{{ s.endswith('ld') }}{{ s.startswith(('x', 'H')) }}{{ s.find('o') }}{{ s.rfind('o') }}{{ s.find('zz') }}{{ s.count('l') }}{{ s.index('W') }}
{{ '  x '.strip() }}|{{ '  x '.lstrip() }}|{{ '  x '.rstrip() }}|{{ 'xxaxx'.strip('x') }}|{{ 'xyaxy'.lstrip('yx') }}|{{ 'éaé'.strip('é') }}
{{ s.replace('l', 'L') }}{{ s.replace('l', 'L', 1) }}{{ s.replace('', '-') }}{{ s | replace('o', '0') }}{{ s|replace('o', '0', 1) }}
{{ ','.join(words) }}{{ words | join('-') }}{{ nums | join(', ') }}{{ messages | join(',', attribute='role') }}{{ empty|join }}{{ s|join('.') }}
{{ 'pre_x'.removeprefix('pre_') }}{{ 'x.y'.removesuffix('.y') }}{{ 'a=b=c'.partition('=') }}{{ 'a=b=c'.rpartition('=') }}{{ 'abc'.partition('=') }}{{ '7'.zfill(3) }}{{ '-7'.zfill(4) }}{{ 'a'.ljust(3) }}|{{ 'a'.rjust(3, '.') }}
{{ '12'.isdigit() }}{{ 'a1'.isalpha() }}{{ 'a1'.isalnum() }}{{ ' '.isspace() }}{{ 'AB'.isupper() }}{{ 'ab1'.islower() }}{{ ''.isdigit() }}
{{ 1 + 2 * 3 - 4 }}{{ 7 // 2 }}{{ -7 // 2 }}{{ 7 % 3 }}{{ -7 % 3 }}{{ 7 % -3 }}{{ 2 ** 10 }}{{ 8 / 2 }}{{ -n }}{{ +n }}{{ (1 + 2) * 3 }}{{ 2 * 'ab' }}{{ 'ab' * 2 }}{{ [1] * 3 }}{{ 'x' * 0 }}{{ 'x' * -1 }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 'a' + 1 }}
{{ missing + 'a' }}
{{ 'a' + missing }}
{{ nothing + 'a' }}
{{ 'a' ~ 1 ~ none ~ true ~ missing ~ [1, 'a'] ~ f }}
{{ 1 == 1.0 }}{{ 1 == true }}{{ '1' == 1 }}{{ [1, 2] == [1, 2] }}{{ (1,) == [1] }}{{ d == d }}{{ none == none }}{{ missing == missing }}{{ f == 2.5 }}{{ f > 2 }}{{ f < 2.51 }}{{ h < g }}{{ -1.5 < -1.25 }}
{{ 1 < 2 < 3 }}{{ 3 > 2 > 2 }}{{ 'a' < 'b' }}{{ 'B' < 'a' }}{{ [1, 2] < [1, 3] }}{{ 'é' > 'z' }}{{ 1 != 2 }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ 'ell' in s }}{{ 'x' not in s }}{{ 1 in nums }}{{ 'b' in d }}{{ 'zz' in d }}{{ none in mixed }}{{ '1' in mixed }}{{ 'x' in missing }}{{ 1 in (1, 2) }}
{{ 1 in s }}
{{ 'a' in nothing }}
{{ 'yes' if yes else 'no' }}{{ 'yes' if no }}{{ 'a' if no else 'b' if no else 'c' }}{{ (yes and 5) or 6 }}{{ no or 'x' }}{{ not yes }}{{ not missing }}{{ '' or [] or 0 or 'last' }}{{ nothing and 1 }}
{{ messages is iterable }}{{ s is string }}{{ d is mapping }}{{ n is number }}{{ f is float }}{{ n is integer }}{{ yes is boolean }}{{ yes is true }}{{ no is false }}{{ nothing is none }}{{ missing is undefined }}{{ words is sequence }}{{ n is sequence }}{{ missing is iterable }}{{ n is odd }}{{ n is even }}{{ n is divisibleby 7 }}{{ n is divisibleby(2) }}
{{ 1 is eq 1 }}{{ 1 is equalto(2) }}{{ 1 is ne 2 }}{{ 1 is lt 2 }}{{ 1 is ge 2 }}{{ 'a' is in 'abc' }}{{ 'abc' is lower }}{{ 'ABC' is upper }}{{ 'x' is not string }}{{ none is not none }}{{ true is integer }}{{ true is number }}{{ d.get is callable }}{{ 1.0 is integer }}{{ n is sameas 7 }}{{ yes is sameas true }}
{{ words | sort }}{{ words | sort(case_sensitive=true) }}{{ words | sort(reverse=true) }}{{ nums | sort }}{{ messages | sort(attribute='role') | map(attribute='role') | list }}{{ nums|unique|list }}{{ words|unique|list }}{{ words | unique(case_sensitive=true)|list }}
{{ mixed | sort }}
{{ nums | min }}{{ nums | max }}{{ words | min }}{{ words|max }}{{ empty | min }}{{ nums | sum }}{{ [{'a': 1}, {'a': 2}] | sum(attribute='a') }}{{ nums|sum(start=10) }}
{{ nums | first }}{{ nums | last }}{{ empty | first }}{{ s | first }}{{ s | last }}{{ s|length }}{{ u|length }}{{ d|length }}{{ empty|count }}{{ missing|length }}{{ nums|reverse|list }}{{ s|reverse }}{{ s|list }}
{{ n | length }}
{{ messages | map(attribute='role') | list }}{{ words | map('upper') | list }}{{ ['1', 'x'] | map('int') | list }}{{ messages|map(attribute='name', default='?')|list }}{{ messages|map(attribute='tool_calls')|list|length }}{{ [['a', 1]] | map(attribute=0)|list }}{{ [['a', 1]]|map('first')|list }}{{ words|map('replace', 'a', 'z')|join }}
{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ messages | selectattr('tool_calls') | list | length }}{{ messages | rejectattr('role', 'in', ['user', 'tool']) | map(attribute='role') | join(',') }}{{ mixed | select('string') | list }}{{ mixed | reject('none') | list }}{{ nums | select('odd')|list }}{{ nums|select('gt', 1)|list }}{{ mixed|select|list }}{{ messages|selectattr('name', 'defined')|list|length }}{{ messages|selectattr('content', 'string')|list|length }}
{{ nums | batch(2) | list }}{{ nums | batch(3, 'x') | list }}{{ nums | slice(3) | list }}{{ nums|slice(3, 'x')|list }}{% for g, l in messages | groupby('role') %}{{ g }}:{{ l | length }};{% endfor %}
{{ missing | default('x') }}{{ '' | default('x') }}{{ '' | default('x', true) }}{{ nothing | default('x') }}{{ nothing|d('x', boolean=true) }}{{ missing|default }}
{{ '12' | int }}{{ 'x' | int }}{{ 'x' | int(5) }}{{ f | int }}{{ ' 7 ' | int }}{{ '3.9'|int }}{{ yes|int }}{{ n | float }}{{ neg | abs }}{{ n | string }}{{ nothing | string }}{{ d|string }}
{{ '  x ' | trim }}|{{ 'xax' | trim('x') }}|{{ lines | indent }}|{{ lines | indent(2, true) }}|{{ lines|indent(2, blank=true) }}|{{ lines|indent('> ', first=True) }}|{{ 'a\nb\n'|indent }}|{{ ''|indent }}
{{ '<a href="x">\'&' | e }}{{ '<b>' | escape }}{{ '<b>'|safe }}{{ 'a b  c' | wordcount }}
{% set x = 1 %}{% for i in nums %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set x = 5 %}{% endif %}{{ x }}
{% set ns = namespace(x=0, l=[]) %}{% for i in nums %}{% set ns.x = ns.x + i %}{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.x }}{{ ns.l }}{{ ns.nope is defined }}{% set ns.new = 1 %}{{ ns.new }}
{% set messages.x = 1 %}
{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, e) = [3, 4] %}{{ c }}{{ e }}{% set t = 1, 2 %}{{ t }}
{% set a, b = [1] %}
{% for a, b in [[1, 2], [3, 4]] %}{{ a }}{{ b }}{% endfor %}{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}{% for x in 1, 2, 3 %}{{ x }}{% endfor %}
{% for i in nums %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}{{ loop.cycle('a', 'b') }}{{ loop.changed(i) }};{% endfor %}
{% for i in [] %}x{% else %}empty{% endfor %}{% for i in nums if i > 5 %}x{% else %}none{% endfor %}{% for i in nums if i != 3 %}{{ loop.index }}:{{ i }} {% endfor %}
{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}{{ range(3) | list }}{{ range(1, 4)|list }}{{ range(10, 0, -3)|list }}
{% for i in [1, 2] %}{% for j in [1, 2] %}{{ loop.depth }}{{ loop.index }}{% endfor %}{{ loop.index }}{% endfor %}
{% for i in n %}{% endfor %}
{% for i in nothing %}{% endfor %}
{% for i in missing %}x{% else %}-{% endfor %}{% for c in 'äb' %}[{{ c }}]{% endfor %}
{% macro m(a, b=2, c='x') %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c='y') }}{{ m() }}{{ m(b=5, a=4) | upper }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(z=2) }}
{% macro r(n) %}{{ n }}{% if n > 0 %}{{ r(n - 1) }}{% endif %}{% endmacro %}{{ r(5) }}
{% set v = 1 %}{% macro m() %}{{ v }}{{ w is defined }}{% endmacro %}{{ m() }}{% set v = 2 %}{{ m() }}{% for w in [1] %}{{ m() }}{% endfor %}
{% macro w() %}<{{ caller() }}>{% endmacro %}{% call w() %}in {{ s }}{% endcall %}{% macro l(x) %}{% for i in x %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(i) l(nums) %}[{{ i }}]{% endcall %}
{% filter upper %}abc {{ s }}{% endfilter %}{% set x %}a{{ s }}b{% endset %}{{ x }}{{ x|length }}{% set y | upper | trim %} q {% endset %}[{{ y }}]
{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}{% with a = 1, b = n %}{{ a + b }}{% endwith %}{{ a is defined }}
{% if no %}a{% elif yes %}b{% else %}c{% endif %}{% if missing %}x{% endif %}{% if empty %}x{% else %}y{% endif %}{% if '0' %}t{% endif %}{% if 0.0 %}x{% else %}z{% endif %}
{% raw %}{{ x }} {% y %}{# c #}{% endraw %}|{%- raw -%}  q  {%- endraw -%}  |
{{ "a\n\t\"\\\x41\u00e9\q" }}{{ 'it''s' }}{{ "a" "b" }}{{ '\'' }}
{{ {'a': {'b': 1}}.a.b }}{{ {'a': 1}['a'] }}{{ [1, [2, 3]][1][0] }}{{ ('a', 'b')[1] }}{{ nums.0 }}{{ {"a": 1,} }}{{ [1, 2,] }}{{ nested.1.1.0 }}
{{ strftime_now('%Y-%m-%d %H:%M:%S %B %b %A %a %j %y %I %p %-d %%') }}
{{ raise_exception('no ' ~ s) }}
{{ undefined_function() }}
{{ nums.append(4) }}
{{ d.update({'x': 1}) }}
{{ dict(a=1, b=2) }}{{ dict({'x': 1}, y=2) }}{{ namespace(a=1).a }}{{ d.a[0] }}{{ words.index('c') }}{{ words.count('a') }}
{{ nums is sequence and nums is not mapping }}{{ not (yes and no) }}{{ not yes or yes }}{{ -2 ** 2 }}{{ 2 ** 3 ** 2 }}{{ 10 - 3 - 2 }}{{ 100 // 7 // 2 }}{{ 1 + 1 ~ 1 + 1 }}{{ 2 * 3 ~ 4 }}
{{ s | upper | lower | length }}{{ (s ~ '!') | upper }}{{ s ~ '!' | upper }}{{ 1 + 2 | string | length }}{{ -3 | abs }}{{ 'a' in 'b' ~ 'a' }}{{ s is string and n is number }}{{ s|length > 3 }}{{ s[0]|lower }}{{ s.upper()|lower }}{{ nums|length - 1 }}
{{ messages[1].content | trim }}|{{ messages[1]['content'].strip() }}|{{ messages[4].content.split('</think>')[-1].lstrip('\n') }}|{{ messages[4]['content'].split('<think>')[-1].split('</think>')[0].strip() }}
{{ messages[-1]['content'] is string }}{{ messages[-1]['content'] is iterable }}{{ messages[2].tool_calls[0].function.arguments | tojson }}{{ messages[2].tool_calls[0]['function']['arguments'].items() | list }}{{ messages[1:] | length }}{{ messages[1:][0].role }}{{ (messages | last).role }}{{ messages[::-1][0].role }}
{%- for message in messages %}{%- if message['content'] is string %}{{ message.role }}:{{ message.content | trim }}{%- else %}{%- for part in message.content %}{%- if part.type == 'text' %}{{ part['text'] }}{%- endif %}{%- endfor %}{%- endif %}{%- if not loop.last %}|{%- endif %}{%- endfor %}
{{ 5 is divisibleby 0 }}
{{ s.nope() }}
{{ s | nope }}
{% nope %}
{{ 1 + }}
{{ (1 }}
{% if %}x{% endif %}
{% for %}{% endfor %}
{% if yes %}
{{ s
{% else %}
{{ true }}{{ True }}{{ None }}{{ none }}{{ false }}{{ [true, none] }}{{ 1_000 }}{{ 1.50 }}{{ 0.10 }}{{ 100.0 }}{{ 3.14159 }}
{% generation %}x{{ s }}{% endgeneration %}
{{ s.format() }}{{ 'a%sb' % 'x' }}
{{ '%d' % 3 }}
{% include 'x' %}
{{ s|center(20) }}{{ s|truncate(5) }}
{{ "Use '"|safe + s + "' to <b>" }}{{ "<" + "&"|safe + '"' }}{{ "<b>"|safe ~ "<i>" }}{{ ("<b>"|safe)|upper + "<" }}{{ ["<"|safe, 1] }}{{ ("a<b"|safe).replace("b", "<") + "<" }}{{ ("<"|safe)[0] + "<" }}{{ ("a b"|safe).split()[0] + "<" }}{{ ("<"|safe) * 2 + "<" }}{{ "<"|e + "<" }}{{ "<"|e|e }}{{ ("<"|safe)|forceescape }}{{ ("<"|safe)|string + "<" }}{{ ("<"|safe)|trim + "<" }}{{ "x" is escaped }}{{ "x"|safe is escaped }}{{ ("<"|safe)|replace("<", ">") + "<" }}{{ ["a"|safe] | join("<") }}{{ ("<"|safe) == "<" }}{{ "<"|safe in ["<"] }}{{ {"<"|safe: 1}["<"] }}{{ ("<"|safe)|tojson }}
{{ {1: 2, 'a': 3, none: 4, true: 5, 1.5: 6, (1, 2): 7} }}{{ {0: 'x', 512: 'y'}|dictsort }}{{ {1: 2}[1] }}{{ {1: 2}[true] }}{{ {1: 2}.get(1) }}{{ {1: 2}|tojson }}{{ {none: 1, true: 2, 1.5: 3}|tojson }}{{ 1 in {1: 2} }}{{ {1: {2: 3}} == {1.0: {2: 3}} }}{% for k, v in {2: 'b', 1: 'a'}|dictsort %}{{ k + 1 }}{{ v }}{% endfor %}{{ {(1,): 2}[(1,)] }}{{ {2: 1, 1: 2}|tojson(sort_keys=true) }}
{{ {[1]: 2} }}
{{ {(1, 2): 3} | tojson }}
{{ {'a': 1, 2: 3} | tojson(sort_keys=true) }}
{{ '<{}>'.format(s) }}{{ '{} {}'.format(1, 'b') }}{{ '{1}{0}{1}'.format('a', 'b') }}{{ '{x}-{y}'.format(x=1, y=none) }}{{ '{{{}}}'.format(5) }}{{ '{!r}'.format('q') }}{{ '{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd') }}{{ '{:05d}|{:+d}|{:x}|{:#x}|{:,}|{:b}'.format(42, 42, 255, 255, 1234567, 5) }}{{ '{:5}|{:<5}|{:.2}'.format(7, 7, 'abc') }}{{ '{}{}'.format(true, [1, 'a']) }}{{ '{:d}'.format(true) }}
{{ '{}'.format() }}
{{ '{x}'.format(1) }}
{{ '{'.format(1) }}
{{ '{0}{}'.format(1, 2) }}
{{ '%s and %s' % ('a', 1) }}{{ '%d%%' % 7 }}{{ '%5d|%-5d|%05d|%+d' % (1, 2, 3, 4) }}{{ '%(a)s-%(b)d' % {'a': 'x', 'b': 2} }}{{ '%r' % 'q' }}{{ '%x %X %o' % (255, 255, 8) }}{{ '%s' % [1] }}{{ '%s' % none }}{{ '%.2s|%5s|%-5s|' % ('abc', 'd', 'e') }}{{ 'x' % {} }}{{ '%s' % {'a': 1} }}{{ '%s, %s'|format('a', 'b') }}{{ '%(q)s'|format(q=1) }}
{{ '%s' % () }}
{{ '%s' % (1, 2) }}
{{ '%d' % 'x' }}
{{ messages | map(attribute='role') | tojson }}
{{ messages | map(attribute='role') | length }}
{{ messages | selectattr('role') | last }}
{{ words | reverse | length }}
{{ words | map('upper') | first }}{{ (words | map('upper'))[0] is defined }}{% if [] | map('upper') %}truthy{% endif %}{% set g = words | map('upper') %}{{ g | first }}{{ g | join(',') }}{{ g | list }}{% set h = nums | select('odd') %}{{ 1 in h }}{{ h | list }}{{ (words|map('upper')) is iterable }}{{ (words|map('upper')) is sequence }}{{ (words|reverse)|join }}{{ nums|unique|join(',') }}{{ nums|batch(2)|map('length')|list }}
{{ d.items() }}{{ d.keys() }}{{ d.values() }}{{ d.items() | length }}{{ d.keys()|list }}{{ d.items() is sequence }}{{ 'a' in d.keys() }}{{ range(3) }}{{ range(1, 7, 2) }}{{ range(3)|length }}{{ range(5)[2] }}{{ range(5)[1:3]|list }}{{ 3 in range(5) }}{{ range(3)|tojson is defined }}
{{ d.items() | tojson }}
{{ d.items()[0] is defined }}{{ d.keys()[0] is defined }}
{{ range(3) + [1] }}
{{ d.items() + [1] }}
{% for x in nested recursive %}{{ x if x is number else '[' ~ loop(x) ~ ']' }}{{ loop.depth }}{{ loop.index }}{% endfor %}
{% for x in nums %}{{ loop([1]) }}{% endfor %}
{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}{{ m() }}{% macro k() %}{{ kwargs.q }}{% endmacro %}{{ k(q=1) }}
{% macro m() %}{{ varargs|join }}{% endmacro %}{{ m(1, 2, q=3) }}
{{ 'ab'.center(7, '*') }}{{ 'abc'|center(8) }}|{{ 'AbC'.swapcase() }}{{ s|truncate(7) }}{{ s|truncate(5, true) }}{{ s|truncate(5, leeway=0) }}{{ 'a b c d e f g h'|truncate(9, false, '…', 0) }}{{ 'trim' is filter }}{{ 'nope' is filter }}{{ 'odd' is test }}{{ s|tojson(true) }}
{{ namespace(a=1, b="x").b }}
{% set a, b = 'xy' %}{{ a }}{{ b }}{% set (a, b) = {'p': 1, 'q': 2} %}{{ a }}{{ b }}
{{ f + 1 }}
{{ f * 2 }}
{{ 7 / 2 }}
'''.strip("\n").split("\n")
WHITESPACE = [
    "a\n  {% if yes %}\n  b\n  {% endif %}\n c\n", "  {% if yes %}  x\n{% endif %}", "{% if yes %}\n\nx{% endif %}\n\n", "a {%- if yes -%} b {%- endif -%} c",
    "a\n {{- s -}} \n b", "a\n {{ s }}\n b\n\n", "  {# c #}\n x", "a {#- c -#} b", "a\n   {#- c #}\n  b", "{% set x = 1 %}\n{% set y = 2 %}\ny", "x{% set x = 1 %}\ny",
    "a\n\t {%+ if yes %}b{% endif %}", "{% if yes +%}\n b{% endif %}", "{%- if yes %}\n\n  a{%- endif %}\n", "a\r\nb\r{% if yes %}\r\nc{% endif %}\r\n", "\n\n{% if yes %}x{% endif %}",
    "{% for i in nums %}\n  {{ i }}\n{% endfor %}\nend", "{% for i in nums -%}\n  {{ i }}\n{%- endfor %}\nend", " {{ s }} {% if yes %} {{ s }} {% endif %} ", "{{ s }}\n", "{{ s }}\n\n", "{{ '}}' }}{{ '%}' }}{{ \"{{\" }}",
    "{{ {'a': {'b': {}}} }}", "{% if {'a': 1} %}x{% endif %}", "{#-#}x", "a{##}b", "{% raw %}\n  {{ x }}\n{% endraw %}\n y", "\u00a0 {% if yes %}x{% endif %}\u00a0\n {%- if yes %}y{% endif %}", "a\n \x0b {% if yes %}x{% endif %}",
    "{% macro m() %}\n  x\n{% endmacro %}\n{{ m() }}|", "{%- macro m() -%}\n  x\n{%- endmacro -%}\n{{ m() }}|", "a{%if yes%}b{%endif%}c{{s}}d", "{%-if yes-%} b {%-endif-%}",
]


def expression(r, depth=0):
    atoms = ["s", "u", "n", "neg", "f", "nothing", "yes", "no", "missing", "words", "nums", "nested", "d", "mixed", "csv", "empty",
             "'x'", "'ab'", "1", "0", "2", "[1, 'a']", "{'k': 1}", "(1, 2)", "messages", "quotes", "lines", "none", "true", "'<b>'", "'%s'",
             "'{}'", "{1: 2, none: 'a'}", "range(3)", "('<'|safe)"]
    if depth > 3 or r.random() < 0.25:
        return r.choice(atoms)
    e = lambda: expression(r, depth + 1)
    filters = ["upper", "lower", "trim", "title", "capitalize", "length", "list", "first", "last", "join", "join(', ')", "sort", "unique | list", "reverse | list",
               "tojson", "tojson(indent=1)", "string", "int", "default('z')", "default('z', true)", "map('string') | list", "select | list", "select('string') | list",
               "reject('none') | list", "replace('a', 'bb')", "indent", "min", "max", "sum", "items | list", "dictsort", "batch(2) | list", "abs", "wordcount",
               "map(attribute='role') | list", "selectattr('role') | list | length", "safe", "e", "map('upper')", "select", "reverse",
               "unique", "batch(2)", "items", "center(5)", "truncate(4)", "map(attribute='role')", "format(1)", "tojson(true)"]
    tests = ["defined", "none", "string", "number", "mapping", "iterable", "sequence", "boolean", "integer", "true", "odd", "in [1, 'x']", "eq 1", "undefined", "lower"]
    methods = [".strip()", ".split()", ".split('a')", ".upper()", ".items() | list", ".get('k')", ".startswith('a')", ".replace('a', '')", ".role", ".k", "[0]", "[-1]",
               "['k']", "[1:]", "[::-1]", "[:2]", ".rstrip('x')", ".title()", ".join(['p', 'q'])", ".splitlines()", ".find('a')", ".items()", ".keys()",
               ".values()", ".format(1, 2)", "[1]", "[true]", ".get(1)", ".center(4)", ".swapcase()"]
    kind = r.randrange(9)
    if kind == 0:
        return f"({e()} {r.choice(['+', '-', '*', '//', '%', '~', '==', '!=', '<', '>', '<=', 'in', 'not in', 'and', 'or'])} {e()})"
    if kind in (1, 2, 3):
        return f"({e()}) | {r.choice(filters)}"
    if kind == 4:
        return f"({e()} is {r.choice(['', 'not '])}{r.choice(tests)})"
    if kind in (5, 6):
        return f"({e()}){r.choice(methods)}"
    if kind == 7:
        return f"({e()} if {e()} else {e()})"
    return r.choice([f"[{e()}, {e()}]", f"(not {e()})", f"{{'q': {e()}}}", f"-({e()})"])


def random_template(r):
    shapes = ["{{ %s }}", "{% for x in %s %}{{ x }}{{ loop.last }},{% else %}-{% endfor %}", "{% if %s %}a{% else %}b{% endif %}",
              "{% set v = %s %}{{ v }}|{{ [v] }}"]
    return r.choice(shapes).replace("%s", expression(r))


class Generation(jinja2.ext.Extension):
    """The tag of Hugging Face that marks what the model wrote."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("support"), [], [], body).set_lineno(line)

    def support(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    e = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    # Folding of constants answers some errors with an undefined value that the same code, run, would raise.
    e.optimized = False
    jinja2.nodes.Getitem.as_const = lambda self, eval_ctx=None: (_ for _ in ()).throw(jinja2.nodes.Impossible())
    e.filters["tojson"] = tojson
    e.globals["raise_exception"] = raise_exception
    e.globals["strftime_now"] = lambda f: NOW.strftime(f)
    return e


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--random", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    a = arguments.parse_args()
    print("seed", a.seed)
    warnings.simplefilter("ignore", SyntaxWarning)
    r = random.Random(a.seed)
    e = environment()
    with open(a.out, "w") as f:
        f.write(json.dumps({"context": CONTEXT}) + "\n")
        for source in HAND + WHITESPACE + [random_template(r) for _ in range(a.random)]:
            case = {"template": source}
            try:
                # A filter can change the context: "indent" extends a list in place.
                case["rendered"] = e.from_string(source).render(**copy.deepcopy(CONTEXT))
            except Exception as error:
                case["error"] = f"{type(error).__name__}: {error}"
            # Addresses of objects and generators differ from run to run.
            if re.search(r"at 0x|generator|iterator|<built-in|<class|_or_reject", case.get("rendered", ""), re.IGNORECASE):
                continue
            f.write(json.dumps(case) + "\n")


if __name__ == "__main__":
    main()
