/** @import { Unfinished } from "../../types.d.ts" */
import { element, icon, ICONS, part } from "../dom.js";
import { addMessages, formatSize, message } from "../../messages.js";
import { preview } from "./preview.js";
import { adoptStyles } from "./row-styles.js";
import { UNFINISHED_STYLES } from "./unfinished-styles.js";
import { listUnfinished } from "../../resume/unfinished.js";

addMessages({
  unfinished: "{loaded} of {total} uploaded. Choose the file again to continue.",
  unsent: "Not uploaded yet. Choose the file again to continue.",
  unfinishedFiles: "Unfinished uploads",
  again: "Choose file again",
  forget: "Discard unfinished upload of {name}",
});

/** Unfinished uploads of earlier visits. The user has to choose their files again, since browsers do not keep them. */
export class UnfinishedList {
  element = part("ul", "unfinished", { role: "list", ariaLabel: message("unfinishedFiles") });
  #actions;
  /** @type {Map<Unfinished, HTMLElement>} */
  #rows = new Map();

  /** @param {{ choose: () => void, discarded: () => void }} actions */
  constructor(actions) {
    this.element.classList.add("direct-upload");
    this.#actions = actions;
  }

  /**
   * @param {URL} mount
   * @param {string} place
   */
  async load(mount, place) {
    const found = await listUnfinished(mount, place);
    for (const row of this.#rows.values()) row.remove();
    this.#rows = new Map(found.map((each) => [each, this.#createRow(each)]));
    this.element.append(...this.#rows.values());
  }

  /**
   * Put the list into the page.
   * @param {HTMLElement} zone
   */
  show(zone) {
    zone.after(this.element);
    adoptStyles(/** @type {ShadowRoot} */ (zone.getRootNode()), UNFINISHED_STYLES);
  }

  /**
   * Remove the rows of files that the user has chosen again.
   * @param {File[]} files
   */
  removeChosen(files) {
    for (const [each, row] of this.#rows) {
      if (files.some(({ name, size }) => name === each.filename && size === each.size)) this.#remove(each, row);
    }
  }

  /** @param {Unfinished} each */
  #createRow(each) {
    const { filename, size, loaded } = each;
    const text = message(loaded ? "unfinished" : "unsent", { loaded: formatSize(loaded), total: formatSize(size) });
    const name = part("bdi", "name", { textContent: filename, title: filename });
    const about = part("div", "about", {}, name, part("span", "state", { textContent: text }));
    const again = part("button", "again", { type: "button", onclick: this.#actions.choose }, message("again"));
    const label = message("forget", { name: filename });
    const onclick = () => {
      void each.abort();
      this.#remove(each, row);
      this.#actions.discarded();
    };
    const discard = part("button", "remove", { type: "button", ariaLabel: label, onclick }, icon(ICONS.cross));
    const row = element("li", {}, preview({ name: filename }), about, again, discard);
    row.part.add("row");
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
