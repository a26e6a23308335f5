"""How modules are made compact and joined, and that they stay the same program."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from helpers.node import STATIC, run_module

from direct_upload_middleware.api.javascript import compact, tokens
from direct_upload_middleware.api.modules import Files, parse

SOURCES = {path.name: path.read_text("utf-8") for path in sorted(STATIC.glob("*.js"))}


def made_compact(source: str) -> str:
    return compact(tokens(source))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("a; // b\nc;", "a;c;", id="to the end of the line"),
        pytest.param("a /* b */ + c", "a + c", id="within a line"),
        pytest.param("a/* b */b", "a b", id="between two words"),
        pytest.param("return /* b\n*/ c", "return\nc", id="over two lines"),
        pytest.param("  {\n    a;\n\n\n    b;\n  }", "{a;b;}", id="indentation"),
        pytest.param("a\nb", "a\nb", id="an end of a line that ends a statement"),
        pytest.param("a()\n(b)", "a()\n(b)", id="an end of a line before a parenthesis"),
        pytest.param("class A {\n  a = b\n  *c() {}\n}", "class A{a=b\n*c(){}}", id="an end of a line before a star"),
        pytest.param("a++\nb", "a++\nb", id="an end of a line after an operator of one side"),
        pytest.param("a\n  ? b\n  : c", "a?b:c", id="ends of lines that end nothing"),
        pytest.param("a + +b - -c", "a + +b - -c", id="operators that would become others"),
        pytest.param("a ? .5 : b", "a?.5:b", id="a condition before a fraction"),
        pytest.param("x = '/* a */' + \"// b\";", "x='/* a */' + \"// b\";", id="in strings"),
        pytest.param(r"x = 'it\'s // a';", r"x='it\'s // a';", id="after an escaped quote"),
        pytest.param("x = ` // a\n  ${ y /* b */ } /* c */`;", "x=` // a\n  ${ y } /* c */`;", id="in templates"),
        pytest.param("`${ {a: `${b}//`} }//` // c", "`${{a:`${b}//`}}//`", id="in templates in templates"),
        pytest.param(r"`\`//${a}\${//`", r"`\`//${a}\${//`", id="after escapes in templates"),
        pytest.param("x = /[/*]*\\/\\/'/g; // a", "x=/[/*]*\\/\\/'/g;", id="in regular expressions"),
        pytest.param("return /'/.test(a) // b", "return /'/.test(a)", id="in regular expressions after words"),
        pytest.param('f(/"/, a) // b', 'f(/"/,a)', id="in regular expressions as arguments"),
        pytest.param("a / b / c; // d", "a / b / c;", id="after divisions"),
        pytest.param("(a) / 2 + '/'; // d", "(a)/ 2 + '/';", id="after divisions of parentheses"),
        pytest.param("a[0] / `b` / c // d", "a[0]/ `b` / c", id="after divisions of templates"),
        pytest.param("this.#one = #two in this.#one", "this.#a=#b in this.#a", id="private names"),
    ],
)
def test_what_means_nothing_goes_and_nothing_else(source: str, expected: str) -> None:
    assert made_compact(source) == expected
    assert made_compact(expected) == expected


def test_private_names_do_not_run_out() -> None:
    names = re.findall("#[a-z0-9]+", made_compact(" ".join(f"#name{n}" for n in range(60))))
    assert len(set(names)) == 60


def test_a_template_without_an_end_is_no_module() -> None:
    with pytest.raises(ValueError, match="template"):
        made_compact("`a")


def test_a_module_stays_the_same_program() -> None:
    """esbuild parses both and prints the same, but for the private names: these are told by their order."""
    compare = """
    import { createRequire } from "node:module";
    import { text } from "node:stream/consumers";
    const { transformSync } = createRequire(`${process.cwd()}/`)("esbuild");
    const print = (source) => {
      const names = [];
      const number = (name) => (names.includes(name) || names.push(name), `#${names.indexOf(name)}`);
      return transformSync(source, { minifyWhitespace: true }).code.replace(/#[\\w$]+/g, number);
    };
    const pairs = Object.entries(JSON.parse(await text(process.stdin)));
    for (const [name, [source, compact]] of pairs) if (print(source) !== print(compact)) console.log(name);
    """
    pairs = {name: [source, made_compact(source)] for name, source in SOURCES.items()}
    assert run_module(compare, given=json.dumps(pairs)) == ""


def written(sources: dict[str, str], *together: list[str]) -> Callable[[str], str]:
    files = Files({name: parse(source) for name, source in sources.items()}, together)
    return lambda name: files.forward(name) or files.write(name, lambda file: f"./{file}")


def test_modules_come_after_those_that_they_need() -> None:
    text = written(
        {
            "a.js": 'import { b } from "./b.js";\nimport "./c.js";\nexport { d } from "./d.js";\nb();\n',
            "b.js": 'import {\n  c, // is used\n  x,\n} from "./c.js";\nexport const b = () => c(x);\n',
            "c.js": 'import { a } from "./a.js";\nexport function c() {}\n'
            "export async function x() {}\nclass A {}\nexport { A };",
            "d.js": "export class d {}\nexport let e = 1;",
        },
        ["a.js"],
    )
    c = "function c(){}\nasync function x(){}\nclass A{}"
    assert text("a.js") == f"{c}\nconst b=()=>c(x);\nclass d{{}}\nlet e=1;\nb();\nexport{{c,x,A,b,d,e}};\n"
    assert text("b.js") == 'export{b}from "./a.js";\n'
    assert text("c.js") == 'export{c,x,A}from "./a.js";\n'


def test_what_an_earlier_file_has_is_imported_from_there() -> None:
    text = written(
        {
            "a.js": 'import { c } from "./c.js";\nimport("./late.js");',
            "b.js": 'import { c } from "./c.js";\nexport const b = c;',
            "c.js": "export const c = 1;",
            "late.js": 'import { b } from "./b.js"; import { c } from "./c.js"; import("./b.js"); import("./c.js")',
        },
        ["a.js"],
        ["b.js"],
    )
    assert text("a.js") == 'const c=1;\nimport("./late.js");\nexport{c};\n'
    assert text("b.js") == 'import{c}from "./a.js";\nconst b=c;\nexport{b};\n'
    late = 'import{b}from "./b.js";\nimport{c}from "./a.js";\nimport("./b.js");import("./a.js")\nexport{};\n'
    assert text("late.js") == late


def test_a_worker_has_modules_of_its_own() -> None:
    text = written(
        {
            "a.js": 'import { c } from "./c.js";\nnew Worker(new URL("./worker.js", import.meta.url));',
            "c.js": "export const c = 1;",
            "worker.js": 'import { c } from "./c.js";\nself.onmessage = c;',
        },
        ["a.js"],
    )
    assert text("worker.js") == "const c=1;\nself.onmessage=c;\nexport{c};\n"
    assert text("c.js") == 'export{c}from "./a.js";\n'


@pytest.mark.parametrize(
    "source",
    [
        'import { a as b } from "./a.js";',
        'import * as a from "./a.js";',
        'import a from "./a.js";',
        'import { a } from "../a.js";',
        'import { a } from "package";',
        "export default 1;",
        "export { a as b };",
        "export const { a } = b;",
        'a;\nexport * from "./a.js";',
    ],
)
def test_what_cannot_be_joined_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="cannot be joined"):
        parse(source)


@pytest.mark.parametrize("source", ['import("./a.js")', "import.meta.url", "x.import()", 'const text = "export * a"'])
def test_what_only_looks_like_a_statement_stays(source: str) -> None:
    assert parse(source).code == made_compact(source)


def test_no_module_hides_what_its_neighbour_means() -> None:
    """In one scope a module's name would stand for the browser's own of that name, wherever a neighbour uses that.

    esbuild finds the free names: it is asked to replace those that neighbours declare.
    """
    find_free = """
    import { createRequire } from "node:module";
    import { text } from "node:stream/consumers";
    const { transformSync } = createRequire(`${process.cwd()}/`)("esbuild");
    for (const { name, source, declared } of JSON.parse(await text(process.stdin))) {
      const define = Object.fromEntries(declared.map((each) => [each, `free_${each}`]));
      const found = transformSync(source, { define }).code.match(/free_[\\w$]+/g);
      if (found) console.log(name, ...found);
    }
    """
    files = Files({name: parse(source) for name, source in SOURCES.items()}, [["form.js", "element.js"], ["engine.js"]])
    asked = [
        {"name": name, "source": SOURCES[name], "declared": sorted(set().union(*map(declared, members)))}
        for members in files.contents.values()
        for name in members
    ]
    assert run_module(find_free, given=json.dumps(asked)) == ""


def declared(name: str) -> set[str]:
    """What a module declares at its top level."""
    pattern = r"^(?:export )?(?:async )?(?:const|let|class|function\*?) ([\w$]+)"
    return set(re.findall(pattern, SOURCES[name], re.MULTILINE))
