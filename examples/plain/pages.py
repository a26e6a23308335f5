"""The pages. Templates escape every value that is not Html."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import PurePath

from ..sizes import readable_size
from .database import Item
from .sessions import USERS


class Html(str):
    """A string of HTML, which is not escaped again."""

    __slots__ = ()


def html(template: str, **values: object) -> Html:
    """Return the template with its ``{fields}`` filled in."""
    return Html(template.format_map({name: _escaped(value) for name, value in values.items()}))


def _escaped(value: object) -> str:
    return value if isinstance(value, Html) else escape(str(value))


def join(parts: Iterable[Html]) -> Html:
    return Html("".join(parts))


NOTHING = Html("")

LAYOUT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header><a class="brand" href="/">Shelf</a>{session}</header>
<main>
{content}
</main>
<footer>Files go from your browser straight to storage.</footer>
</body>
</html>
"""

SESSION = """<form method="post" action="/logout" class="session">
<span>{user}</span><button class="quiet">Log out</button>
</form>"""

NOTICE = """<p class="notice" role="alert">{text}</p>"""

LOG_IN = """<section class="card narrow">
<h1>Log in</h1>
{notice}
<form method="post" action="/login">
<label for="username">Username</label>
<input id="username" name="username" value="{user}" autocomplete="username" autocapitalize="none" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Log in</button>
</form>
<h2>Users of this demo</h2>
<table class="users"><thead><tr><th scope="col">Username</th><th scope="col">Password</th></tr></thead>
<tbody>{users}</tbody></table>
</section>"""

USER = "<tr><td><code>{user}</code></td><td><code>{password}</code></td></tr>"

SAVED = """<p class="message" role="status">{text} on your shelf.</p>"""

DELETED = """<form class="message" method="post" action="/files/{id}/restore">
<span role="status">“{title}” was deleted.</span> <button class="quiet">Undo</button>
</form>"""

SHELF = """{message}<section class="card">
<h1>Put something on your shelf</h1>
{notice}
<form method="post" action="/files" enctype="multipart/form-data">
<label for="file">Files <span class="hint">(any size)</span></label>
<direct-upload id="file" name="file" multiple required>
<input name="file" type="file" multiple required aria-label="Files">
</direct-upload>
<label for="title">Title <span class="hint">(optional)</span></label>
<input id="title" name="title" maxlength="200" autocomplete="off">
<button>Put on the shelf</button>
</form>
</section>
<section>
<h2>Your files</h2>
{items}
</section>"""

EMPTY = """<p class="empty">No files yet.</p>"""

ITEMS = """<ul class="items">{items}</ul>"""

ITEM = """<li>
<span class="kind" aria-hidden="true">{kind}</span>
<div class="about">
<a href="/files/{id}" class="title"><bdi>{title}</bdi></a>
<div class="details">{filename}<span>{size}</span><span>by {owner}</span><time datetime="{iso}">{when}</time></div>
</div>
<form method="post" action="/files/{id}/delete"><button class="quiet" aria-label="Delete {name}">Delete</button></form>
</li>"""

PROBLEM = """<section class="card narrow">
<h1>{title}</h1>
<p>{detail}</p>
<p><a href="/">Back to the shelf</a></p>
</section>"""


def log_in(user: str = "", notice: str = "") -> Html:
    users = join(html(USER, user=name, password=password) for name, password in USERS.items())
    return _page("Log in – Shelf", html(LOG_IN, user=user, users=users, notice=_notice(notice)))


def shelf(user: str, items: list[Item], notice: str = "", message: Html = NOTHING) -> Html:
    rows = html(ITEMS, items=join(map(_item, items))) if items else html(EMPTY)
    return _page("Shelf", html(SHELF, items=rows, notice=_notice(notice), message=message), user)


def saved(number: int) -> Html:
    return html(SAVED, text="One file is" if number == 1 else f"{number} files are")


def deleted(item: Item) -> Html:
    return html(DELETED, id=item.upload.id, title=item.title or item.upload.filename)


def problem(title: str, detail: str = "") -> Html:
    return _page(f"{title} – Shelf", html(PROBLEM, title=title, detail=detail))


def _page(title: str, content: Html, user: str = "") -> Html:
    return html(LAYOUT, title=title, content=content, session=html(SESSION, user=user) if user else NOTHING)


def _notice(text: str) -> Html:
    return html(NOTICE, text=text) if text else NOTHING


def _item(item: Item) -> Html:
    upload = item.upload
    return html(
        ITEM,
        id=upload.id,
        kind=PurePath(upload.filename).suffix[1:5] or "file",
        title=item.title or upload.filename,
        filename=html("<bdi>{name}</bdi>", name=upload.filename) if item.title else NOTHING,
        name=upload.filename,
        size=readable_size(upload.size),
        owner=upload.owner,
        iso=upload.completed.isoformat(),
        when=f"{upload.completed:%-d %b %Y, %H:%M} UTC",
    )
