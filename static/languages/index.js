// Translations of the texts, one module for each language, which only pages in that language load.
/** @import { Text } from "../types.d.ts" */

/** @type {Record<string, () => Promise<{ default: Record<string, Text> }>>} */
const LANGUAGES = {
  ar: () => import("./ar.js"),
  cs: () => import("./cs.js"),
  da: () => import("./da.js"),
  de: () => import("./de.js"),
  el: () => import("./el.js"),
  es: () => import("./es.js"),
  fa: () => import("./fa.js"),
  fi: () => import("./fi.js"),
  fr: () => import("./fr.js"),
  he: () => import("./he.js"),
  hi: () => import("./hi.js"),
  hu: () => import("./hu.js"),
  id: () => import("./id.js"),
  it: () => import("./it.js"),
  ja: () => import("./ja.js"),
  ko: () => import("./ko.js"),
  nb: () => import("./nb.js"),
  nl: () => import("./nl.js"),
  pl: () => import("./pl.js"),
  pt: () => import("./pt.js"),
  "pt-PT": () => import("./pt-PT.js"),
  ro: () => import("./ro.js"),
  ru: () => import("./ru.js"),
  sv: () => import("./sv.js"),
  th: () => import("./th.js"),
  tr: () => import("./tr.js"),
  uk: () => import("./uk.js"),
  vi: () => import("./vi.js"),
  "zh-Hans": () => import("./zh-Hans.js"),
  "zh-Hant": () => import("./zh-Hant.js"),
};

/** The languages that have a translation. */
export const languages = Object.keys(LANGUAGES);

/**
 * Return the texts in a language; none when there is no translation.
 * @param {string} tag as in `<html lang>`
 */
export async function loadTexts(tag) {
  const load = LANGUAGES[choose(new Intl.Locale(tag).maximize())];
  return load ? (await load()).default : {};
}

/**
 * Return the name of a translation. Portuguese differs by country, and Chinese by script.
 * @param {Intl.Locale} locale
 */
function choose({ language, script, region }) {
  if (language === "zh") return `zh-${script}`;
  if (language === "pt" && region !== "BR") return "pt-PT";
  return ["no", "nn"].includes(language) ? "nb" : language;
}
