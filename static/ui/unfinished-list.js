/** @import { Unfinished } from "../types.d.ts" */
import { element, icon, ICONS, part } from "./dom.js";
import { formatSize, say } from "../messages.js";
import { unfinished } from "../resume/unfinished.js";

/** What was begun before the page was loaded anew, and needs its file again: a browser forgets which it was. */
export class UnfinishedList {
  element = part("ul", "unfinished", { role: "list", ariaLabel: say("unfinishedFiles") });
  #actions;
  /** @type {Map<Unfinished, HTMLElement>} */
  #rows = new Map();

  /** @param {{ choose: () => void, forgotten: () => void }} actions */
  constructor(actions) {
    this.element.classList.add("direct-upload");
    this.#actions = actions;
  }

  /**
   * @param {URL} mount
   * @param {string} place
   */
  async look(mount, place) {
    const found = await unfinished(mount, place);
    for (const row of this.#rows.values()) row.remove();
    this.#rows = new Map(found.map((each) => [each, this.#row(each)]));
    this.element.append(...this.#rows.values());
  }

  /**
   * For files that are chosen again nobody needs to be asked any more.
   * @param {File[]} files
   */
  chosen(files) {
    for (const [each, row] of this.#rows) {
      if (files.some(({ name, size }) => name === each.filename && size === each.size)) this.#remove(each, row);
    }
  }

  /** @param {Unfinished} each */
  #row(each) {
    const { filename, size, loaded } = each;
    const text = say(loaded ? "unfinished" : "unsent", { loaded: formatSize(loaded), total: formatSize(size) });
    const name = part("bdi", "name", { textContent: filename, title: filename });
    const about = part("div", "about", {}, name, part("span", "state", { textContent: text }));
    const again = part("button", "again", { type: "button", onclick: this.#actions.choose }, say("again"));
    const label = say("forget", { name: filename });
    const forget = part("button", "remove", { type: "button", ariaLabel: label, title: label }, icon(ICONS.cross));
    const row = element("li", {}, part("span", "preview", { ariaHidden: "true" }, icon(ICONS.file)), about, again, forget);
    row.part.add("row");
    forget.addEventListener("click", () => {
      void each.forget();
      this.#remove(each, row);
      this.#actions.forgotten();
    });
    return row;
  }

  /**
   * @param {Unfinished} each
   * @param {HTMLElement} row
   */
  #remove(each, row) {
    this.#rows.delete(each);
    row.remove();
  }
}
