import { parseSize } from "../choice/checks.js";

/** What HTML's form controls have in common: attributes as properties, and validation. */
export class FormControl extends HTMLElement {
  static formAssociated = true;
  /** For subclasses. */
  internals = this.attachInternals();

  get form() {
    return this.internals.form;
  }

  get labels() {
    return /** @type {NodeListOf<HTMLLabelElement>} */ (this.internals.labels);
  }

  get type() {
    return this.localName;
  }

  get name() {
    return this.getAttribute("name") ?? "";
  }

  set name(name) {
    this.setAttribute("name", name);
  }

  get accept() {
    return this.getAttribute("accept") ?? "";
  }

  set accept(accept) {
    this.setAttribute("accept", accept);
  }

  /** Bytes; Infinity without a limit. */
  get maxSize() {
    return parseSize(this.getAttribute("max-size"));
  }

  set maxSize(size) {
    this.setAttribute("max-size", String(size));
  }

  get multiple() {
    return this.hasAttribute("multiple");
  }

  set multiple(isMultiple) {
    this.toggleAttribute("multiple", isMultiple);
  }

  get required() {
    return this.hasAttribute("required");
  }

  set required(isRequired) {
    this.toggleAttribute("required", isRequired);
  }

  get disabled() {
    return this.hasAttribute("disabled");
  }

  set disabled(isDisabled) {
    this.toggleAttribute("disabled", isDisabled);
  }

  get willValidate() {
    return this.internals.willValidate;
  }

  get validity() {
    return this.internals.validity;
  }

  get validationMessage() {
    return this.internals.validationMessage;
  }

  checkValidity() {
    return this.internals.checkValidity();
  }

  reportValidity() {
    return this.internals.reportValidity();
  }
}
