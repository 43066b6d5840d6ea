"""openapi.json as a page for people."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment

_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ api.info.title }} API</title><link rel="stylesheet" href="/api/reference.css"></head>
<body>
<header><h1>{{ api.info.title }} {{ api.info.version }}: the API</h1>
<p>{{ api.info.summary }} The same as data: <a href="/openapi.json">openapi.json</a>. Where the server has tokens, send
<code>Authorization: Bearer TOKEN</code>. Every error is <code>{"detail": "one sentence"}</code>.</p></header>
<nav aria-label="Groups"><ul>{% for tag in groups %}<li><a href="#{{ tag }}">{{ tag }}</a></li>{% endfor %}
<li><a href="#types">types</a></li></ul></nav>
<main>
{% for tag, entries in groups.items() %}
<section id="{{ tag }}"><h2>{{ tag }}</h2>
{% for entry in entries %}
<article><h3><code>{{ entry.method }} {{ entry.path }}</code></h3>
<p>{{ entry.text }}</p>
{% if entry.parameters %}<table><thead><tr><th>takes</th><th>in</th><th>type</th><th>needed</th></tr></thead><tbody>
{% for p in entry.parameters %}<tr><td><code>{{ p.name }}</code></td><td>{{ p.place }}</td><td>{{ p.type }}</td>
<td>{{ "yes" if p.is_needed else "no" }}</td></tr>{% endfor %}</tbody></table>{% endif %}
<p>Answers: {{ entry.answer }}</p></article>
{% endfor %}
</section>
{% endfor %}
<section id="types"><h2>types</h2>
{% for name, schema in types.items() %}
<article id="type-{{ name }}"><h3><code>{{ name }}</code></h3><p>{{ schema.description or "" }}</p>
<table><thead><tr><th>field</th><th>type</th></tr></thead><tbody>
{% for field, type in schema.fields.items() %}<tr><td><code>{{ field }}</code></td><td>{{ type }}</td></tr>{% endfor %}
</tbody></table></article>
{% endfor %}
</section>
</main></body></html>
"""
)

STYLE = """:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .75rem .25rem 0; }
th { border-bottom: 1px solid; } article { margin-block: 1.5rem; } nav ul { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; }
nav li { list-style: none; } code { font-size: .95em; overflow-wrap: anywhere; }
"""


def reference_page(api: dict[str, Any]) -> str:
    """The HTML of an OpenAPI document."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation.get("tags", ["other"])[0], []).append(_entry(path, method, operation))
    types = {
        name: {
            "description": schema.get("description"),
            "fields": {field: _type(value) for field, value in schema.get("properties", {}).items()},
        }
        for name, schema in api.get("components", {}).get("schemas", {}).items()
    }
    return _PAGE.render(api=api, groups=groups, types=types)


def _entry(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": p["name"], "place": p["in"], "type": _type(p.get("schema", {})), "is_needed": p.get("required", False)}
        for p in operation.get("parameters", [])
    ]
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        parameters.append({"name": "body", "place": kind, "type": _type(body.get("schema", {})), "is_needed": True})
    answers: dict[str, Any] = next((a for status, a in operation["responses"].items() if status.startswith("2")), {})
    kinds = [f"{_type(c.get('schema', {}))} ({kind})" for kind, c in answers.get("content", {}).items()]
    text = operation.get("description", operation.get("summary", ""))
    return {
        "path": path,
        "method": method.upper(),
        "text": text,
        "parameters": parameters,
        "answer": " or ".join(kinds) or "nothing",
    }


def _type(schema: dict[str, Any]) -> str:
    """A schema in words."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if options := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(_type(one) for one in options))
    if "enum" in schema:
        return " or ".join(repr(one) for one in schema["enum"])
    if schema.get("type") == "array":
        items = schema.get("items") or {"anyOf": schema.get("prefixItems", [])}
        return f"list of {_type(items)}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"name to {_type(schema['additionalProperties'])}"
    return str(schema.get("const", schema.get("type", "anything")))
