/** @import { UploadList } from "./list/upload-list.js" */
import { element, part } from "./dom.js";
import { Row } from "./list/row.js";

/** Elements that a view has made. Any other like them is a copy, by a page or a library. @type {WeakSet<Element>} */
const own = new WeakSet();
const COPIES = ".direct-upload-rows, .direct-upload-news, .direct-upload-notices, .direct-upload-summary";
/** Up to so many files, each speaks for itself. */
const FEW = 3;
/** Rows that have their content at once; the others get it when they come into sight. */
const EAGER = 50;

/** The uploads of a field on the page: a row for each, notices, and a live region for screen readers. */
export class View {
  rows = part("ul", "rows");
  notices = element("div", { className: "direct-upload-notices" });
  liveRegion = part("p", "news", { role: "status" });
  isMany = false;
  /** What shows many files, once it is needed. @type {import("./list/many.js").Many | undefined} */
  many;
  /** @type {Map<Element, Row>} */
  #rows = new Map();
  /** @type {Promise<void> | undefined} */
  #loading;
  /** @type {Promise<void> | undefined} */
  #reorder;
  /** What was announced in this task. A screen reader hears the last text of each task. @type {string[]} */
  #announced = [];

  constructor() {
    for (const each of [this.rows, this.notices]) each.classList.add("direct-upload");
    this.rows.role = "list"; // Safari removes it from lists without bullets
    this.liveRegion.classList.add("direct-upload-visually-hidden");
    for (const each of this.elements) own.add(each);
  }

  /** The elements in their order on the page. */
  get elements() {
    return [...(this.many ? [this.many.element] : []), this.rows, this.notices, this.liveRegion];
  }

  /**
   * @param {File} file
   * @param {import("./list/row.js").RowActions} actions
   * @param {string} path
   */
  add(file, actions, path) {
    const row = new Row(file, actions, this, path);
    this.#rows.set(row.element, row);
    if (this.#rows.size <= EAGER) row.toggle(true);
    this.rows.append(row.element);
    this.many?.observe(row.element);
    return row;
  }

  /**
   * Return the row of an element.
   * @param {Element | null} element
   */
  rowOf(element) {
    return this.#rows.get(/** @type {Element} */ (element));
  }

  /**
   * Remove a row, and return the next one, or the one before the last.
   * @param {Row} row
   */
  remove({ element }) {
    const next = this.rowOf(element.nextElementSibling ?? element.previousElementSibling);
    this.many?.unobserve(element);
    this.#rows.delete(element);
    element.remove();
    return next;
  }

  /**
   * Show the number of files and their progress.
   * @param {UploadList} uploads
   */
  update(uploads) {
    const { size } = uploads;
    this.isMany = size > FEW || (this.isMany && size > 0);
    if (this.isMany) this.#loading ??= this.#loadMany(uploads);
    this.many?.update();
    if (size > 1) this.#reorder ??= import("./list/reorder.js").then(({ enable }) => enable(this, uploads)).catch(() => undefined);
  }

  /** @param {UploadList} uploads */
  async #loadMany(uploads) {
    try {
      const { Many } = await import("./list/many.js");
      this.many = new Many(this, uploads);
      own.add(this.many.element);
      this.rows.before(this.many.element);
      this.many.update();
    } catch {
      for (const row of this.#rows.values()) row.toggle(true); // without a network, each row speaks for itself
    }
  }

  /**
   * Show a notice until it is dismissed or replaced, and announce it.
   * @param {string} key
   * @param {string} text "" dismisses it
   */
  notify(key, text) {
    const shown = this.notices.querySelector(`[data-notice="${key}"]`);
    if (shown && shown.textContent === text) return;
    if (!text) return shown?.remove();
    const notice = part("p", "notice", { textContent: text });
    notice.dataset.notice = key;
    if (shown) shown.replaceWith(notice);
    else this.notices.append(notice);
    this.announce(text);
  }

  /** Dismiss all notices except that the form waits. */
  dismissNotices() {
    for (const notice of this.notices.querySelectorAll("p:not([data-notice=held])")) notice.remove();
  }

  /** Announce what happened to a file, unless it is one of many. @param {string} text */
  announceOne(text) {
    if (!this.isMany) this.announce(text);
  }

  /** @param {string} text */
  announce(text) {
    if (!this.#announced.length) setTimeout(() => { this.#announced = []; });
    this.#announced.push(text);
    this.liveRegion.textContent = this.#announced.join(" ");
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
