/**
 * Create an element with properties and content.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Partial<HTMLElementTagNameMap[Name]>} [properties]
 * @param {(Node | string)[]} content
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, properties = {}, ...content) {
  const created = Object.assign(document.createElement(name), properties);
  created.append(...content);
  return created;
}

/**
 * Create an element that our own styles address by its class, and the page's styles by its part.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} part
 * @param {Partial<HTMLElementTagNameMap[Name]>} [properties]
 * @param {(Node | string)[]} content
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function part(name, part, properties = {}, ...content) {
  const created = element(name, properties, ...content);
  created.className = `direct-upload-${part}`;
  created.part.add(part);
  return created;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * Draw an icon. Inline SVG works where a Content-Security-Policy blocks all images.
 * @param {string} path
 */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  cross: "M6 6l12 12M18 6L6 18",
  pause: "M8.5 6v12M15.5 6v12",
  resume: "M8 6l9 6-9 6z",
  retry: "M19 12a7 7 0 1 1-2.2-5.1M19 3v4.5h-4.5",
  file: "M7 3h7l5 5v13H7zM14 3v5h5",
  upload: "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
};
