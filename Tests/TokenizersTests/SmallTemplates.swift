/// Templates that fit in a test.
enum SmallTemplates {
  static let chatML = """
    {% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}\
    {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
    """

  static let context = #"""
    {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi <b>\"you\"</b>"}],
    "add_generation_prompt":true,"tools":[{"name":"f","parameters":{"a":1,"b":[true,null,1.50,"é"]}}],"bos_token":"<s>"}
    """#

  /// A little of everything.
  static let busy = """
    {%- macro show(x, sep=', ') -%}[{{ x | join(sep) }}]{%- endmacro -%}
    {%- set ns = namespace(n=0, seen=[]) -%}
    {%- for m in messages if m.role != 'tool' -%}
      {%- set ns.n = ns.n + m.content | length -%}
      {%- set ns.seen = ns.seen + [m.role] -%}
      {{ loop.index }}/{{ loop.length }}{{ '!' if loop.last else ';' }}
    {%- else -%}nobody{%- endfor -%}
    {{ show(ns.seen) }} {{ show(['a', 'b'], sep='-') }} {{ ns.n }}
    {{ tools | tojson }}
    {{ tools[0] | tojson(indent=2) }}
    {% filter upper %}shout {{ messages[0].content }}{% endfilter %}
    {% set block %}in{{ 'side' }}{% endset %}{{ block }} {{ messages[::-1] | map(attribute='role') | list }}
    {% with a = 1, b = 2 %}{{ a + b }}{% endwith %} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }}
    {% for i in range(5) %}{% if i == 3 %}{% break %}{% endif %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}
    {{ strftime_now('%d %b %Y') }} {{ 'x' in 'xyz' and not 'q' in ['p'] }} {{ missing is defined }} {{ none }}
    {% raw %}{{ raw }}{% endraw %}{# comment #}
    """
}
