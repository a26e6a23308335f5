// The technical details of a failure, for developers.
/** @import { DirectUploadFailure } from "../../engine/failure.js" */
import { element } from "../dom.js";
import { addMessages, formatFailure, message } from "../../messages.js";
import { DETAILS_STYLES } from "./details-styles.js";
import { adoptStyles } from "./row-styles.js";

addMessages({
  details: "Details",
});

/**
 * Write them into their element.
 * @param {HTMLElement} details
 * @param {DirectUploadFailure} failure
 */
export function fill(details, failure) {
  adoptStyles(/** @type {Document | ShadowRoot} */ (details.getRootNode()), DETAILS_STYLES);
  const summary = element("summary", { textContent: message("details") });
  details.replaceChildren(summary, element("p", { textContent: formatFailure(failure) }));
}
