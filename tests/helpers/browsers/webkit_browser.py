"""WebKit with a profile, for WebKitWebDriver to start: the MiniBrowser that comes with it forgets everything.

    /usr/bin/python3 webkit_browser.py PROFILE

It is a program of Debian's Python, which has WebKit's library.
"""

import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402

profile = sys.argv[1]
manager = WebKit2.WebsiteDataManager(base_data_directory=f"{profile}/data", base_cache_directory=f"{profile}/cache")
manager.get_cookie_manager().set_persistent_storage(f"{profile}/cookies.sqlite", WebKit2.CookiePersistentStorage.SQLITE)
context = WebKit2.WebContext.new_with_website_data_manager(manager)
context.set_automation_allowed(True)


def start(_: WebKit2.WebContext, session: WebKit2.AutomationSession) -> None:
    about = WebKit2.ApplicationInfo()
    about.set_name("MiniBrowser")  # whom the driver asks for
    session.set_application_info(about)
    session.connect("create-web-view", lambda _: open_window())


def open_window() -> WebKit2.WebView:
    view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True)
    window = Gtk.Window(default_width=1000, default_height=800)
    window.add(view)
    window.show_all()
    return view


context.connect("automation-started", start)
Gtk.main()
