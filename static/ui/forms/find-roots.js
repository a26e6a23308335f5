// A page without fields in its document may have some in shadow roots. This module imports nothing, so that pages without
// any field do not load the user interface.

const MARKED = "direct-upload, input[type=file][data-direct-upload]";

/**
 * Call back when a shadow root has a field.
 * @param {() => void} found
 */
export function findRoots(found) {
  const known = new WeakSet();
  const observer = new MutationObserver((records) => {
    for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) if (node instanceof Element) search(node);
  });
  /** @param {ParentNode & Node} node */
  const search = (node) => {
    if (node !== document && node.querySelector(MARKED)) found();
    for (const { shadowRoot, localName } of /** @type {Element[]} */ ([node, ...node.querySelectorAll("*")])) {
      if (shadowRoot && !known.has(shadowRoot)) add(shadowRoot);
      else if (localName?.includes("-") && !customElements.get(localName)) awaitDefinition(localName);
    }
  };
  /** @param {Document | ShadowRoot} root */
  const add = (root) => {
    known.add(root);
    observer.observe(root, { childList: true, subtree: true });
    search(root);
  };
  /** @param {string} name */
  const awaitDefinition = (name) => void customElements.whenDefined(name).then(() => search(document), () => undefined);
  for (const type of ["focusin", "pointerdown", "dragenter"]) {
    addEventListener(type, (event) => event.composedPath().forEach((node) => node instanceof ShadowRoot && !known.has(node) && add(node)), true);
  }
  add(document);
}
