// A form that waited is submitted as it was when its button was pressed.

/** @typedef {HTMLButtonElement | HTMLInputElement} Submitter */
/** @typedef {{ button: Submitter, copy: Submitter } | null} Pressed the button, and its state when it was pressed */

const STATE = ["type", "name", "value", "formaction", "formmethod", "formenctype", "formtarget", "formnovalidate"];

/**
 * Record the state of the button that submits a form: the page may change or remove it before the uploads end.
 * @param {HTMLElement | null} submitter
 * @returns {Pressed}
 */
export function recordSubmitter(submitter) {
  const button = /** @type {Submitter | null} */ (submitter);
  return button && { button, copy: /** @type {Submitter} */ (button.cloneNode()) };
}

/**
 * Submit a form with a button, or with a copy of it when its state has changed.
 * @param {HTMLFormElement} form
 * @param {Pressed} pressed
 */
export function submitAs(form, pressed) {
  if (!pressed) return form.requestSubmit();
  const { button, copy } = pressed;
  const isSame = STATE.every((name) => button.getAttribute(name) === copy.getAttribute(name));
  if (isSame && button.isConnected && button.form === form && !button.matches(":disabled")) return form.requestSubmit(button);
  for (const name of ["id", "form", "disabled"]) copy.removeAttribute(name);
  copy.hidden = true;
  form.append(copy);
  try {
    form.requestSubmit(copy);
  } finally {
    copy.remove();
  }
}

/**
 * Return whether a submission only closes a dialog.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 */
export function closesDialog(form, submitter) {
  const method = submitter?.getAttribute("formmethod") ?? form.getAttribute("method");
  return method?.toLowerCase() === "dialog";
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 */
export function skipsValidation(form, submitter) {
  return form.hasAttribute("novalidate") || !!submitter?.hasAttribute("formnovalidate");
}
