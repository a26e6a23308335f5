/** @import { UploadOptions } from "../types.d.ts" */
/** @import { FileUpload, Upload } from "./file-upload.js" */
/** @import { FieldListener, UploadField } from "./form.js" */
/** @import { Chosen } from "./list/upload-list.js" */
import { advise } from "./advice.js";
import { readRules } from "./choice/checks.js";
import { isSame } from "./forms/form-data.js";
import { initialReceipts } from "./forms/receipts.js";
import { message } from "../messages.js";
import { placeOf, saveUnsent, takeUnsent } from "./unsent.js";
import { UploadList } from "./list/upload-list.js";
import { View } from "./view.js";

/** @typedef {{ upload: Upload, mount: URL, listener: FieldListener }} Page what the fields need of their page */
/** @typedef {HTMLElement & { form: HTMLFormElement | null, name: string, accept: string, multiple: boolean }} Host */

/**
 * What a file input and an upload element have in common: their uploads, and what a form sees of them.
 * @implements {UploadField}
 */
export class Field {
  view = new View();
  list = new UploadList(this);
  #page;
  #prefix;

  /**
   * @param {Host} host
   * @param {Page} page
   * @param {string} prefix of the attributes that are rules
   */
  constructor(host, page, prefix) {
    this.host = host;
    this.#page = page;
    this.#prefix = prefix;
  }

  // What differs between inputs and elements.
  onUpdate() {}
  /** Put the rows into the page. */
  show() {}
  onDone() {}
  /** @param {FileUpload[]} _added */
  onAdded(_added) {}
  focus() {
    this.host.focus();
  }

  get form() {
    return this.host.matches(":disabled") ? null : this.host.form;
  }

  get name() {
    return this.host.name;
  }

  get isConnected() {
    return this.host.isConnected;
  }

  get isBusy() {
    return this.list.isBusy;
  }

  get isReady() {
    return this.list.inState("ready").length > 0;
  }

  get hasFailed() {
    return this.list.inState("failed").length > 0;
  }

  /** The place where unfinished uploads are listed; "" lists them nowhere. */
  get recordPlace() {
    return this.place;
  }

  get uploads() {
    return this.list.uploads;
  }

  get rules() {
    return readRules(this.host, this.#prefix);
  }

  get mount() {
    const { mount } = this.#page;
    return new URL((this.host.dataset.directUploadMount || mount.href).replace(/\/*$/, "/"), mount);
  }

  /** The field's place in the site. */
  get place() {
    return placeOf(this.name);
  }

  /** Why the form cannot be submitted; "" when it can. */
  get error() {
    return this.list.inState("failed")[0]?.validationMessage ?? "";
  }

  get tooFew() {
    const { minFiles } = this.rules;
    return this.list.size && this.list.size < minFiles ? message("tooFew", { count: minFiles }) : "";
  }

  /**
   * Upload a file of this field.
   * @param {File} file
   * @param {UploadOptions & { together: boolean }} options
   */
  upload(file, options) {
    return this.#page.upload(file, { ...options, mount: this.mount, place: this.recordPlace });
  }

  begin() {
    this.list.start();
  }

  hold() {
    this.list.hold();
  }

  release() {
    this.list.release();
  }

  markSent() {
    this.list.markSent();
    this.save();
  }

  update() {
    this.onUpdate();
    this.#page.listener.onchange(this);
  }

  /** The user removed files. */
  cancel() {
    this.#page.listener.oncancel(this);
    this.update();
  }

  /** @param {Chosen[]} chosen */
  addNew(chosen) {
    return this.add(chosen.filter((each) => this.#isNew(each)));
  }

  /** @param {Chosen[]} chosen */
  async add(chosen) {
    const { rules } = this;
    if (this.host.form && !this.name) advise("an upload field has no name, so that its form submits no receipt.");
    if (!this.list.hasRoom(chosen, rules)) chosen = await this.list.limit(chosen, rules);
    this.onAdded(this.list.add(chosen, rules));
    if (this.host.dataset.directUpload !== "submit") this.begin();
    this.update();
  }

  /** Go back to the receipts that the page began with. */
  reset() {
    this.view.dismissNotices();
    this.list.clear();
    this.addInitialReceipts();
    this.cancel();
  }

  addInitialReceipts() {
    this.list.addReceipts(initialReceipts(this.host));
    this.show();
  }

  /** Show what was uploaded before the page was loaded again. */
  async restore() {
    const saved = takeUnsent(this.place);
    if (!saved) return;
    const { verifyUnsent } = await import("./forms/verify-unsent.js");
    const receipts = await verifyUnsent(saved, this.mount);
    if (!receipts.length || (this.list.size && !this.host.multiple)) return;
    this.list.addReceipts(receipts, false);
    this.show();
    this.update();
  }

  save() {
    saveUnsent(this.place, this.mount, this.uploads);
  }

  /**
   * Return whether a file is not in the list yet. A failed upload of the same file is replaced.
   * @param {Chosen} chosen
   */
  #isNew(chosen) {
    const { file, path = file.webkitRelativePath } = chosen;
    const same = this.uploads.filter((each) => !each.isInitial && each.path === path && isSame(each.file, file));
    for (const each of same) if (each.state === "failed") this.list.remove(each);
    const others = same.flatMap((each) => (each.state === "failed" ? [] : each.file));
    if (others.length) import("./choice/same-content.js").then(({ addUnlessSame }) => addUnlessSame(this, chosen, others), () => this.add([chosen]));
    return !others.length;
  }
}
