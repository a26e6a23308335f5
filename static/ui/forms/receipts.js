import { advise } from "../advice.js";

/**
 * Return the receipts that a field starts with: those of its attribute `data-receipts`.
 * @param {HTMLElement} host
 * @returns {string[]}
 */
export function initialReceipts(host) {
  try {
    const receipts = JSON.parse(host.dataset.receipts || "[]");
    if (Array.isArray(receipts)) return receipts.filter((each) => each && typeof each === "string");
  } catch {
    // told below
  }
  advise("data-receipts must be a JSON array of receipts.");
  return [];
}
