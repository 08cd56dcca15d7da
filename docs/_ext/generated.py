"""Write the parts of the documentation that come from the code, before Sphinx reads its sources.

- Tables for ``{include}``: features, ranking terms, populations, catalogues and so on, in
  ``docs/_generated``, each from the registry that the package itself uses.
- One page per module for the API reference, in ``docs/reference/api``.
- The notebooks, copied from ``notebooks``.
"""

import importlib.util
import inspect
import pkgutil
import shutil
from pathlib import Path

import tables
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.nodes import make_refnode

import ztfml

DOCS = Path(__file__).resolve().parent.parent
ROOT = DOCS.parent
API = DOCS / "reference" / "api"

# scikit-learn adds methods for metadata routing to every estimator.
ROUTING = "set_fit_request, set_predict_request, set_predict_proba_request, set_score_request"
OPTIONS = {
    "class": ["   :members:", f"   :exclude-members: {ROUTING}"],
    "data": ["   :no-value:"],
}


def setup(app):
    """Register the generator with Sphinx."""
    app.connect("config-inited", generate)
    app.connect("missing-reference", find_name)
    app.connect("sphinx-click-process-epilog", show_examples)
    return {"version": "1", "parallel_read_safe": True}


def generate(app, config):
    """Write tables, pages of modules and copies of notebooks."""
    folder = fresh(DOCS / "_generated")
    for name, make in tables.TABLES.items():
        (folder / f"{name}.md").write_text(make() + "\n")
    write_api()
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        shutil.copy(notebook, DOCS / "notebooks")


def find_name(app, env, node, contnode):
    """Resolve `name` in a docstring to the nearest documented object of that name.

    Constants without documentation and names of other packages stay plain text.
    """
    if node.get("refdomain") != "py":
        return None
    target = node.get("reftarget", "").lstrip("~.")
    objects = env.domains["py"].objects
    target = canonical(target)
    found = (
        [target] if target in objects else [name for name in objects if name.endswith(f".{target}")]
    )
    found = [name for name in found if objects[name].objtype != "module"] or found
    scope = node.get("py:module") or ""
    while scope and len(found) > 1:
        inside = [name for name in found if name.startswith(f"{scope}.")]
        found = inside or found
        scope = "" if inside else scope.rpartition(".")[0]
    if len(found) == 1:
        entry = objects[found[0]]
        return make_refnode(
            app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, found[0]
        )
    is_constant = target.rpartition(".")[2].strip("_").isupper()
    package, dot, _ = target.partition(".")
    is_external = dot and package != "ztfml" and importlib.util.find_spec(package)
    return contnode if is_constant or is_external else None


def canonical(target):
    """Return the name where a name of ztfml is defined; packages also export names of modules."""
    parent, _, name = target.rpartition(".")
    try:
        thing = pkgutil.resolve_name(target if parent.startswith("ztfml") else "")
    except (ValueError, ImportError, AttributeError):
        return target
    return f"{getattr(thing, '__module__', parent)}.{getattr(thing, '__qualname__', name)}"


def show_examples(app, context, lines):
    """Show the examples at the end of a help text as code."""
    text = "\n".join(lines).replace("\b", "")
    examples = [line.strip() for line in text.splitlines()]
    examples = [line for line in examples if line and not line.startswith("Example")]
    if examples:
        lines[:] = ["**Examples**", "", ".. code-block:: text", ""]
        lines += [f"   {line}" for line in examples] + [""]


def fresh(folder):
    """Return an empty folder of this name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


# --- API reference -------------------------------------------------------------------------


def write_api():
    """Write one page per public module and one overview per package."""
    fresh(API)
    top = sorted(module.name for module in pkgutil.iter_modules(ztfml.__path__, "ztfml."))
    names = [name for name in top if name not in ("ztfml.__main__", "ztfml.cli")]
    for name in names:
        write_module(importlib.import_module(name))
    rows = [f"- {{py:mod}}`{name}`: {summary(importlib.import_module(name))}" for name in names]
    listed = "\n".join(f"api/{name}" for name in names)
    overview = "\n".join(rows)
    (DOCS / "_generated" / "api.md").write_text(
        f"{overview}\n\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{listed}\n```\n"
    )


def write_package(package):
    """Write the page of a package and the pages of its modules."""
    name = package.__name__
    modules = sorted(module.name for module in pkgutil.iter_modules(package.__path__, f"{name}."))
    modules = [name for name in modules if write_module(importlib.import_module(name))]
    lines = page_of(package)
    exported = [
        one
        for one in getattr(package, "__all__", ())
        if getattr(getattr(package, one), "__module__", name) != name
    ]
    if exported:
        lines += ["Also importable from this package:", ""]
        lines += [f"- {role(getattr(package, one))}" for one in exported] + [""]
    if modules:
        lines += ["Modules", "-------", "", ".. toctree::", "   :maxdepth: 1", ""]
        lines += [f"   {module}" for module in modules] + [""]
    (API / f"{name}.rst").write_text("\n".join(lines))


def write_module(module):
    """Write the page of a module or package; return whether there is anything public."""
    if hasattr(module, "__path__"):
        write_package(module)
        return True
    if not members(module):
        return False
    (API / f"{module.__name__}.rst").write_text("\n".join(page_of(module)))
    return True


def page_of(module):
    """Return the lines of a page with all public names that a module defines."""
    name = module.__name__
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:", ""]
    if members(module):
        lines += [f".. currentmodule:: {name}", "", ".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   {member}" for member, _ in members(module)] + [""]
    for member, kind in members(module):
        lines += [f".. auto{kind}:: {member}", *OPTIONS.get(kind, []), ""]
    return lines


def members(module):
    """Return the public functions, classes and documented constants of a module, with kind."""
    documented = ModuleAnalyzer.for_module(module.__name__).find_attr_docs()
    found = [(name, "data") for scope, name in documented if not scope and not name.startswith("_")]
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            found.append((name, "exception" if issubclass(value, Exception) else "class"))
        elif callable(value) and getattr(value, "__doc__", None) and hasattr(value, "__name__"):
            found.append((name, "function"))
    return sorted(found)


def summary(thing):
    """Return the first line of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0].replace("`", "``")


def role(thing):
    """Return a cross-reference to a function, class or constant."""
    if not hasattr(thing, "__name__"):
        return f"``{thing!r}``"
    kind = "class" if inspect.isclass(thing) else "func"
    return f":{kind}:`{thing.__module__}.{thing.__name__}`"
