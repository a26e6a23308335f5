import { part } from "./dom.js";
import { Row } from "./row.js";

/** What is seen of a field's uploads: a row for each, and news for those who listen. */
export class View {
  rows = part("ul", "rows");
  news = part("p", "news", { role: "status" });

  constructor() {
    this.rows.classList.add("direct-upload");
    this.rows.role = "list"; // which Safari takes from lists without bullets
    this.news.classList.add("direct-upload-heard");
  }

  /**
   * @param {File} file
   * @param {import("./row.js").Verbs} verbs
   */
  add(file, verbs) {
    const row = new Row(file, verbs, (text) => this.announce(text));
    this.rows.append(row.element);
    return row;
  }

  /**
   * @param {string} text
   * @param {boolean} [isSeen] whether it is news for those who see the rows too
   */
  announce(text, isSeen = false) {
    this.news.textContent = text;
    this.news.classList.toggle("direct-upload-heard", !isSeen);
  }
}
