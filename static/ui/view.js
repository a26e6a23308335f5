import { part } from "./dom.js";
import { Row } from "./row.js";

/** Elements that a view has made. Any other like them is a copy, by a page or a library. @type {WeakSet<Element>} */
const own = new WeakSet();
const COPIES = ".direct-upload-rows, .direct-upload-news";

/** The uploads of a field on the page: a row for each, and a live region for screen readers. */
export class View {
  rows = part("ul", "rows");
  liveRegion = part("p", "news", { role: "status" });

  constructor() {
    this.rows.classList.add("direct-upload");
    this.rows.role = "list"; // Safari removes it from lists without bullets
    this.liveRegion.classList.add("direct-upload-visually-hidden");
    own.add(this.rows).add(this.liveRegion);
  }

  /**
   * @param {{ name: string, size: number }} file
   * @param {import("./row.js").RowActions} actions
   */
  add(file, actions) {
    const row = new Row(file, actions, (text) => this.announce(text));
    this.rows.append(row.element);
    return row;
  }

  /**
   * @param {string} text
   * @param {boolean} [isVisible] false hides the text from users who see the rows
   */
  announce(text, isVisible = false) {
    this.liveRegion.textContent = text;
    this.liveRegion.classList.toggle("direct-upload-visually-hidden", !isVisible);
  }
}

/**
 * Remove copies of rows, which do nothing: of a cached page, or of an element that was cloned.
 * @param {ParentNode} node
 */
export function removeCopies(node) {
  for (const copy of [...node.querySelectorAll(COPIES), node]) {
    if (copy instanceof Element && copy.matches(COPIES) && !own.has(copy)) copy.remove();
  }
}
