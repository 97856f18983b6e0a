# SPDX-License-Identifier: MIT
"""Joins the modules of the page: one file for each that a document or a worker begins with,
and one for what several of them need.

A browser that is told of seventy modules asks seventy times; one file is a quarter of the
time to the first paint, and a third smaller packed. Each module becomes a function that is
run once, after those that it imports, and returns what it exports: names that are its own
stay its own. It takes what the page's modules use (named imports and exports) and refuses
the rest, so that joined and apart they mean the same.
"""
import os
import re

IMPORT = re.compile(r"^import \{([^}]*)\} from '(\.{1,2}/[^']+)';\n", re.M)
EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function|class) (\w+))", re.M)
OTHER = re.compile(r"^(?:import|export)\b.*|.*\bimport\s*\(.*|.*\bimport\.meta\b.*", re.M)
SHARED = "js/shared.mjs"
ENTRY = re.compile(r"<script src=\"([^\"]+\.mjs)\" type=\"module\">|new \w*\.?Worker\('([^']+\.mjs)'")


class JoinError(Exception):
    pass


def entries_of(texts):
    """Modules that something begins with, from the texts of all files of the page."""
    found = {src or worker for text in texts for src, worker in ENTRY.findall(text)}
    return sorted(found)


def names_of(inside):
    """"a, b as c" -> [("a", "a"), ("b", "c")]"""
    pairs = [part.split(" as ") for part in re.split(r",\s*", inside.strip().strip(",")) if part]
    return [(pair[0].strip(), pair[-1].strip()) for pair in pairs]


def variables_of(modules):
    """What stands for each module: short, as browsers load it."""
    return {path: "m%d" % number for number, path in enumerate(sorted(modules))}


def imports_of(path, text):
    """[(names, path of the module that they come from)]"""
    folder = os.path.dirname(path)
    return [(names_of(inside), os.path.normpath(os.path.join(folder, source)).replace(os.sep, "/"))
            for inside, source in IMPORT.findall(text)]


def order_of(modules, entry):
    """The modules that entry needs, each after those that it imports, itself last."""
    order, under_way = [], []

    def add(path):
        if path in order:
            return
        if path in under_way:
            raise JoinError("%s imports itself: %s" % (path, " -> ".join(under_way)))
        if path not in modules:
            raise JoinError("%s imports %s, which is not there" % (under_way[-1] if under_way else "a document", path))
        under_way.append(path)
        for names, source in imports_of(path, modules[path]):
            add(source)
            for name, _ in names:
                if name not in EXPORT.findall(modules[source]):
                    raise JoinError("%s imports %s, which %s does not export" % (path, name, source))
        order.append(under_way.pop())

    add(entry)
    return order


def wrapped(path, text, variable):
    """The module as a function that is run once."""
    body = EXPORT.sub("", IMPORT.sub("", text))
    if OTHER.search(body):
        raise JoinError("%s: cannot be joined: %s" % (path, OTHER.search(body).group(0)))
    heads = ""
    for names, source in imports_of(path, text):
        words = ", ".join(name if name == own else "%s: %s" % (name, own) for name, own in names)
        heads += "const { %s } = %s;\n" % (words, variable[source])
    return "const %s = (() => {\n%s%sreturn { %s };\n})();\n" % (
        variable[path], heads, body, ", ".join(EXPORT.findall(text)))


def join(modules, entries):
    """modules: path -> text, of all of them. -> path -> text of the files to serve: SHARED, and one an entry."""
    orders = {entry: order_of(modules, entry) for entry in entries}
    often = [path for order in orders.values() for path in order]
    shared = [path for path in dict.fromkeys(often) if often.count(path) > 1]
    variable = variables_of(modules)
    text = {path: wrapped(path, modules[path], variable) for path in dict.fromkeys(often)}
    files = {}
    if shared:
        names = ", ".join(variable[path] for path in shared)
        files[SHARED] = "".join(text[path] for path in shared) + "export { %s };\n" % names
    for entry, order in orders.items():
        needed = [variable[path] for path in order if path in shared]
        source = os.path.relpath(SHARED, os.path.dirname(entry))
        source = source if source.startswith(".") else "./" + source
        head = "import { %s } from '%s';\n" % (", ".join(needed), source) if needed else ""
        files[entry] = head + "".join(text[path] for path in order if path not in shared)
    return files


def asked_early(document, files):
    """A document that asks for SHARED at once, and not when it has read what needs it; if it does."""
    script = re.search(r"<script src=\"([^\"]+\.mjs)\"", document)
    if not script or not re.match(r"import .* from '[^']*/%s';" % os.path.basename(SHARED), files.get(script.group(1), "")):
        return document
    return document[: script.start()] + '<link rel="modulepreload" href="%s">\n' % SHARED + document[script.start() :]
