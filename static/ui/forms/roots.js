// Fields can be in shadow roots, where the document hears no `change`, `submit`, `formdata` or `reset`.

/** Composed events, by which roots are found that the page attached later. */
const COMPOSED = ["pointerdown", "focusin", "dragenter", "keydown", "click"];

/**
 * @typedef {object} RootListener
 * @property {(root: Document | ShadowRoot) => void} onroot
 * @property {(node: Element) => void} onadded
 * @property {(node: Element) => void} onremoved
 */

/** The document and its open shadow roots, now and later; closed ones by their elements only. */
export class Roots {
  #listener;
  #document;
  /** @type {WeakSet<Node>} */
  #known = new WeakSet();
  /** Custom elements that are not defined yet. @type {Set<string>} */
  #undefined = new Set();
  #observer = new MutationObserver((records) => {
    for (const { addedNodes, removedNodes } of records) {
      for (const node of addedNodes) if (node instanceof Element) this.#onAdded(node);
      for (const node of removedNodes) if (node instanceof Element) this.#listener.onremoved(node);
    }
  });

  /**
   * @param {Document} document
   * @param {RootListener} listener
   */
  constructor(document, listener) {
    this.#document = document;
    this.#listener = listener;
  }

  watch() {
    this.add(this.#document);
    const add = (/** @type {Event} */ event) => {
      for (const target of event.composedPath()) if (target instanceof ShadowRoot) this.add(target);
    };
    for (const type of COMPOSED) addEventListener(type, add, { capture: true, passive: true });
  }

  /** @param {Node} root */
  add(root) {
    if (this.#known.has(root) || !(root instanceof Document || root instanceof ShadowRoot)) return;
    this.#known.add(root);
    this.#observer.observe(root, { childList: true, subtree: true });
    this.#listener.onroot(root);
    this.#search(root);
  }

  /** @param {Element} node */
  #onAdded(node) {
    this.#search(node);
    this.#listener.onadded(node);
  }

  /** @param {ParentNode} node */
  #search(node) {
    for (const element of node instanceof Element ? [node, ...node.querySelectorAll("*")] : node.querySelectorAll("*")) {
      if (element.shadowRoot) {
        if (this.#known.has(element.shadowRoot)) this.#search(element.shadowRoot);
        else this.add(element.shadowRoot);
      } else if (element.localName.includes("-") && !customElements.get(element.localName)) {
        this.#awaitDefinition(element.localName);
      }
    }
  }

  /**
   * Defining an element may attach shadow roots to the elements that exist.
   * @param {string} name
   */
  #awaitDefinition(name) {
    if (this.#undefined.has(name)) return;
    this.#undefined.add(name);
    customElements.whenDefined(name).then(() => this.#search(this.#document), () => undefined); // the name is not valid
  }
}
